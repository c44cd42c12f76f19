using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.CacheStore.Tests.Staging;

/// <summary>Bodies that turn out to be wrong, many and long: no stored object makes room for them.</summary>
public sealed class UnverifiedTests : IAsyncLifetime
{
    private const long Quota = StoreOptions.MinQuotaBytes;
    private const long SegmentBytes = 4 << 20;
    private const int GoodBytes = 300_000;

    private readonly TemporaryDirectory _directory = new();
    private readonly HookedDisk _disk = new();
    private FasterObjectStore _store = null!;

    public async Task InitializeAsync() => _store = await FasterObjectStore.OpenAsync(
        new StoreOptions { Path = _directory.Path, QuotaBytes = Quota, MinFreeBytes = 0, CommitInterval = TimeSpan.FromMilliseconds(1) },
        _disk, TimeProvider.System, NullLogger.Instance, CancellationToken.None);

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(1_000_000, 150, 1)] // one after the other
    [InlineData(2_000_000, 80, 8)]
    [InlineData(12_000_000, 16, 4)] // more at once than is free
    [InlineData(40_000_000, 6, 3)] // longer than is allowed
    public async Task WrongBodies_ManyTimesTheQuota_EvictNothing(int length, int count, int atOnce)
    {
        List<ObjectKey> good = await FillAsync(40_000_000);
        long evicted = _store.Statistics.EvictedObjects;
        long most = 0;

        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = atOnce }, async (i, _) =>
        {
            await SendWrongAsync(i, length);
            long now = DiskBytes();
            lock (good)
            {
                most = Math.Max(most, now);
            }
        });

        Assert.All(good, key => Assert.True(_store.Contains(key)));
        Assert.Equal(evicted, _store.Statistics.EvictedObjects);
        Assert.InRange(most, 0, Quota + (3 * SegmentBytes)); // a segment is written before the one that it comes from is deleted
        Assert.Equal(0, _store.Unverified.Writing);
        foreach (ObjectKey key in good)
        {
            Assert.NotNull(await _store.ReadAsync(key));
        }
    }

    /// <summary>What is given up takes room until its file is gone, which on a slow disk takes a while.</summary>
    [Fact]
    public async Task FullStore_WhoseSegmentsAreDeletedSlowly_StaysNearItsQuota()
    {
        _disk.BeforeDelete = path => Thread.Sleep(path.EndsWith(".seg", StringComparison.Ordinal) ? 100 : 0);
        long most = 0;
        for (int round = 0; round < 20; round++)
        {
            await FillAsync((int)(Quota / 8), seed: round * 1000);
            most = Math.Max(most, DiskBytes());
        }

        Assert.InRange(most, Quota / 2, Quota + (3 * SegmentBytes));
    }

    [Fact]
    public async Task FullStore_WrongBodies_EvictNothingAndGoodOnesGoOnBeingStored()
    {
        await FillAsync((int)(2 * Quota)); // it evicts
        await _store.RoomIsMadeAsync(); // nothing is due while a round is still at it
        long objects = _store.Statistics.Objects;
        long evicted = _store.Statistics.EvictedObjects;
        await Parallel.ForEachAsync(Enumerable.Range(0, 40), new ParallelOptions { MaxDegreeOfParallelism = 4 },
            async (i, _) => await SendWrongAsync(i, 5_000_000));
        Assert.Equal((objects, evicted), (_store.Statistics.Objects, _store.Statistics.EvictedObjects));

        await FillAsync((int)Quota, seed: 50_000);
        Assert.True(_store.Statistics.EvictedObjects > evicted + 100, "what is verified evicts");
    }

    [Fact]
    public async Task LongObject_RefusedForWantOfRoom_IsStoredTheSecondTime()
    {
        await FillAsync((int)(2 * Quota));
        byte[] bytes = TestObjects.Bytes(7, (int)(Quota / 4));
        ObjectKey key = TestObjects.KeyOf(bytes);
        CommitResult first = await WriteLongAsync(key, bytes);
        CommitResult second = first == CommitResult.Committed ? first : await WriteLongAsync(key, bytes);

        Assert.Equal(CommitResult.Committed, second);
        Assert.Equal(bytes, await _store.ReadAsync(key));
    }

    /// <summary>Its room is taken back behind its last byte, which no append is told.</summary>
    [Fact]
    public async Task LongObject_RefusedAfterItsLastByte_IsStoredTheSecondTime()
    {
        byte[] bytes = TestObjects.Bytes(7, (int)(Quota / 4));
        ObjectKey key = TestObjects.KeyOf(bytes);
        await using (ObjectWriter writer = _store.BeginWrite(key, bytes.Length))
        {
            await AppendAsync(writer, bytes);
            _store.Unverified.Revoke(_store.Commits.LargestUnverified()!);
            await FillAsync((int)(2 * Quota)); // what the log has of it is gone
            Assert.True(writer.Verify());
            Assert.Equal(CommitResult.StoreFull, await writer.CommitAsync());
        }

        await using (ObjectWriter again = _store.BeginWrite(key, bytes.Length))
        {
            await again.AppendAsync(bytes.AsMemory(0, 3_000_000));
            Assert.Equal(0, _store.Unverified.Writing); // it is vouched for: nobody takes its room back
        }

        Assert.Equal(CommitResult.Committed, await WriteLongAsync(key, bytes));
        Assert.Equal(bytes, await _store.ReadAsync(key));
    }

    [Fact]
    public async Task Writer_ThatEndsInAnyWay_GivesBackWhatItTook()
    {
        byte[] bytes = TestObjects.Bytes(1, 3_000_000);
        ObjectKey key = TestObjects.KeyOf(bytes);
        await using (ObjectWriter aborted = _store.BeginWrite(key, null))
        {
            await aborted.AppendAsync(bytes);
            Assert.InRange(_store.Unverified.Writing, 2_000_000, 4_000_000);
            Assert.NotEqual(long.MaxValue, _store.Commits.LowestUnpublishedAddress);
        }

        await AssertNothingIsTakenAsync();
        Assert.InRange(_store.Unverified.Dead, 2_000_000, 4_000_000);
        await SendWrongAsync(2, 3_000_000);
        await AssertNothingIsTakenAsync();
        await SendWrongAsync(3, 30_000_000); // refused on the way
        await AssertNothingIsTakenAsync();
        long dead = _store.Unverified.Dead;
        await _store.WriteAsync(key, bytes);
        await AssertNothingIsTakenAsync();
        Assert.Equal(dead, _store.Unverified.Dead);
    }

    private async Task AssertNothingIsTakenAsync()
    {
        Assert.Equal(0, _store.Unverified.Writing);
        Assert.Equal(long.MaxValue, _store.Commits.LowestUnpublishedAddress);
        await Waiting.UntilAsync(() => _store.Budget is { Bytes: 0, Buffers: 0 });
    }

    private async Task<CommitResult> WriteLongAsync(ObjectKey key, byte[] bytes)
    {
        await using ObjectWriter writer = _store.BeginWrite(key, bytes.Length);
        await AppendAsync(writer, bytes);

        Assert.True(writer.Verify());
        return await writer.CommitAsync();
    }

    private static async Task AppendAsync(ObjectWriter writer, byte[] bytes)
    {
        for (int at = 0; at < bytes.Length; at += 1 << 20)
        {
            await writer.AppendAsync(bytes.AsMemory(at, Math.Min(1 << 20, bytes.Length - at)));
        }
    }

    private async Task SendWrongAsync(int number, int length)
    {
        byte[] slice = TestObjects.Bytes(900_000 + number, 500_000);
        await using ObjectWriter writer =
            _store.BeginWrite(TestObjects.KeyOf(BitConverter.GetBytes(number)), number % 2 == 0 ? null : Math.Min(length, Quota / 4));
        for (int sent = 0; sent < length; sent += slice.Length)
        {
            await writer.AppendAsync(slice);
        }

        Assert.False(writer.Verify());
        Assert.Equal(CommitResult.HashMismatch, await writer.CommitAsync());
    }

    private async Task<List<ObjectKey>> FillAsync(int bytes, int seed = 0)
    {
        List<ObjectKey> keys = [];
        foreach (int[] some in Enumerable.Range(seed, bytes / GoodBytes).Chunk(8))
        {
            byte[][] good = [.. some.Select(static i => TestObjects.Bytes(i, GoodBytes))];
            keys.AddRange(good.Select(static g => TestObjects.KeyOf(g)));
            Assert.All(await Task.WhenAll(good.Select(g => _store.WriteAsync(TestObjects.KeyOf(g), g))),
                static result => Assert.Equal(CommitResult.Committed, result));
        }

        return keys;
    }

    private long DiskBytes() =>
        new DirectoryInfo(Path.Combine(_directory.Path, "objects")).EnumerateFiles("*.seg").Sum(file => file.Exists ? file.Length : 0);
}

using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.CacheStore.Tests.Space;

/// <summary>What the cleaner copies, drops and lets go of.</summary>
public sealed class CleanerTests : IDisposable
{
    private const long SegmentBytes = 4 << 20;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(50_000)]
    [InlineData(200_000)]
    [InlineData(700_000)]
    public async Task PinnedObject_DamagedBeforeItsSegmentIsCleaned_IsAMissAndToldOf(int length)
    {
        await using FasterObjectStore store = await OpenAsync(new HookedDisk { HidesChanges = true });
        List<ObjectKey> told = [];
        store.Damaged = told.Add;
        (ObjectKey key, byte[] bytes) = await WritePinnedAsync(store, length);
        await FillAsync(store, 3);
        StoreFiles.Flip(_directory.Path, bytes);

        await store.EvictToAsync(SegmentBytes);

        Assert.Null(await store.ReadAsync(key));
        Assert.Equal([key], told);
        Assert.Equal(0, store.Pins.Bytes);
        Assert.Equal(1, store.Statistics.DamagedObjects);
    }

    [Theory]
    [InlineData(50_000)]
    [InlineData(700_000)]
    public async Task PinnedObject_DamagedInItsKeptSegment_IsNeverReadWrong(int length)
    {
        await using FasterObjectStore store = await OpenAsync(new HookedDisk());
        (ObjectKey key, byte[] bytes) = await WritePinnedAsync(store, length);
        await FillAsync(store, 3);
        await store.EvictToAsync(SegmentBytes);
        Assert.Equal(bytes, await store.ReadAsync(key));
        StoreFiles.Flip(_directory.Path, bytes);

        await Assert.ThrowsAsync<ObjectDamagedException>(() => store.ReadAsync(key));
        Assert.False(store.Contains(key));
    }

    /// <summary>FASTER has the log's begin moved long before the files are gone: whoever asks for room wants it on the disk.</summary>
    [Fact]
    public async Task EvictTo_OnADiskThatDeletesSlowly_ReturnsWhenTheFilesAreGone()
    {
        HookedDisk disk = new();
        await using FasterObjectStore store = await OpenAsync(disk);
        await FillAsync(store, 6);
        using ManualResetEventSlim deletes = new();
        disk.BeforeDelete = path =>
        {
            if (path.EndsWith(".seg", StringComparison.Ordinal))
            {
                Assert.True(deletes.Wait(Waiting.Hang));
            }
        };

        Task<long> evicting = store.EvictToAsync(2 * SegmentBytes);
        await Waiting.UntilAsync(() => store.Statistics.EvictedObjects > 0 && store.Log.DurableBeginAddress > 0);
        Assert.False(evicting.IsCompleted);
        deletes.Set();

        long left = await evicting.InTimeAsync();
        Assert.InRange(Directory.GetFiles(Path.Combine(_directory.Path, "objects"), "*.seg").Length, 1, (int)(left / SegmentBytes));
    }

    [Theory]
    [InlineData(50_000)]
    [InlineData(700_000)]
    public async Task RemovedObject_InAKeptSegment_StaysGoneAfterARestartUntilItIsStoredAgain(int length)
    {
        ObjectKey key;
        byte[] bytes;
        await using (FasterObjectStore store = await OpenAsync(new HookedDisk()))
        {
            (key, bytes) = await WritePinnedAsync(store, length);
            await FillAsync(store, 3);
            await store.EvictToAsync(SegmentBytes);
            Assert.NotEmpty(Directory.GetFiles(Path.Combine(_directory.Path, "objects"), "kept-*"));
            Assert.True(store.Remove(key));
        }

        await using (FasterObjectStore store = await OpenAsync(new HookedDisk()))
        {
            Assert.False(store.Contains(key));
            Assert.Equal(CommitResult.Committed, await store.WriteAsync(key, bytes));
        }

        await using FasterObjectStore again = await OpenAsync(new HookedDisk());
        Assert.Equal(bytes, await again.ReadAsync(key));
    }

    [Theory]
    [InlineData(50_000)]
    [InlineData(700_000)]
    public async Task Lease_OnAnEvictedObject_HoldsItsFilesUntilItIsDisposed(int length)
    {
        await using FasterObjectStore store = await OpenAsync(new HookedDisk());
        byte[] bytes = TestObjects.Bytes(1, length);
        ObjectKey key = TestObjects.KeyOf(bytes);
        await store.WriteAsync(key, bytes);
        Assert.True(store.TryOpen(key, out ObjectLease? first));
        Assert.True(store.TryOpen(key, out ObjectLease? second));
        await FillAsync(store, 3);
        await store.EvictToAsync(SegmentBytes);
        await Waiting.UntilAsync(() => !File.Exists(Path.Combine(_directory.Path, "objects", SegmentSet.FileName(0))));

        Assert.NotEqual(0, DeletedFilesOpen());
        Assert.Equal(bytes, await TestObjects.ReadAllAsync(first));
        first.Dispose();
        first.Dispose(); // once more does not take the other's hold
        Assert.Equal(bytes, await TestObjects.ReadAllAsync(second));
        second.Dispose();
        await Waiting.UntilAsync(() => DeletedFilesOpen() == 0); // the cleaner has its own hold for a moment
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(100_000_000, true)]
    [InlineData(400_000_000, false)]
    public async Task Disk_WithLessFreeThanItsFloor_StoreShrinks(long free, bool shrinks)
    {
        HookedDisk disk = new() { Free = 1L << 40 };
        await using FasterObjectStore store = await FasterObjectStore.OpenAsync(
            new StoreOptions
            {
                Path = _directory.Path,
                QuotaBytes = 64 << 20,
                MinFreeBytes = 200_000_000,
                CommitInterval = TimeSpan.FromMilliseconds(1)
            },
            disk, TimeProvider.System, NullLogger.Instance, CancellationToken.None);
        await FillAsync(store, 8);
        long before = store.Statistics.UsedBytes;
        Assert.Equal(0, store.Statistics.EvictedObjects);

        disk.Free = free; // others filled it
        await FillAsync(store, 1, 5000);
        store.Space.Wake();

        if (shrinks)
        {
            await Waiting.UntilAsync(() => store.Statistics.UsedBytes <= Math.Max(2 * SegmentBytes, before - (200_000_000 - free)));
        }

        Assert.Equal(shrinks, store.Statistics.EvictedObjects > 0);
    }

    private async Task<(ObjectKey Key, byte[] Bytes)> WritePinnedAsync(FasterObjectStore store, int length)
    {
        byte[] bytes = TestObjects.Bytes(1, length);
        ObjectKey key = TestObjects.KeyOf(bytes);
        store.Pins.Put("p", [key]);
        Assert.Equal(CommitResult.Committed, await store.WriteAsync(key, bytes));
        return (key, bytes);
    }

    private static async Task FillAsync(FasterObjectStore store, int segments, int seed = 100)
    {
        for (int i = 0; i < segments * 21; i++)
        {
            byte[] bytes = TestObjects.Bytes(seed + i, 200_000);
            Assert.Equal(CommitResult.Committed, await store.WriteAsync(TestObjects.KeyOf(bytes), bytes));
        }
    }

    /// <summary>Descriptors of files of this store that have no name any more.</summary>
    private int DeletedFilesOpen() => Directory.GetFiles("/proc/self/fd").Count(
        fd => new FileInfo(fd).LinkTarget is { } target && target.StartsWith(_directory.Path, StringComparison.Ordinal)
        && target.EndsWith(" (deleted)", StringComparison.Ordinal));

    private Task<FasterObjectStore> OpenAsync(HookedDisk disk) => FasterObjectStore.OpenAsync(
        new StoreOptions { Path = _directory.Path, QuotaBytes = 64 << 20, MinFreeBytes = 0, CommitInterval = TimeSpan.FromMilliseconds(1) },
        disk, TimeProvider.System, NullLogger.Instance, CancellationToken.None);
}

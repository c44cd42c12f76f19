using Breakwater.CacheStore.Index;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Scrubbing;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.CacheStore.Tests.Scrubbing;

public sealed class ScrubTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(50_000)]
    [InlineData(900_000)]
    public async Task Object_WithAFlippedBit_IsFoundForgottenQuarantinedAndTold(int length)
    {
        byte[] good = TestObjects.Bytes(1, 200_000);
        byte[] bad = TestObjects.Bytes(2, length);
        List<ObjectKey> told = [];
        await using FasterObjectStore store =
            await FasterObjectStore.OpenAsync(new StoreOptions { Path = _directory.Path, QuotaBytes = StoreOptions.MinQuotaBytes });
        store.Damaged = told.Add;
        await store.WriteAsync(TestObjects.KeyOf(good), good);
        await store.WriteAsync(TestObjects.KeyOf(bad), bad);
        Assert.Empty((await store.VerifyAsync(null, isRepairing: true)).Damaged);
        StoreFiles.Flip(_directory.Path, bad);

        ScrubReport looked = await store.VerifyAsync(null, isRepairing: false);
        Assert.Equal([TestObjects.KeyOf(bad)], looked.Damaged);
        Assert.Equal((2L, 200_000L + length), (looked.Objects, looked.Bytes));
        Assert.False(Directory.Exists(Path.Combine(_directory.Path, "quarantine")));
        Assert.True(store.Contains(TestObjects.KeyOf(bad)));

        ScrubReport repaired = await store.VerifyAsync(null, isRepairing: true);
        Assert.Equal(2, repaired.Objects);
        Assert.Equal([TestObjects.KeyOf(bad)], told);
        Assert.False(store.Contains(TestObjects.KeyOf(bad)));
        byte[] kept = File.ReadAllBytes(Assert.Single(Directory.GetFiles(Path.Combine(_directory.Path, "quarantine"))));
        EntryHeader header = EntryHeader.Read(kept);
        Assert.True(header.IsValid);
        Assert.Equal((TestObjects.KeyOf(bad), kept.Length), (header.Key, EntryHeader.SizeBytes + header.PayloadLength));
        Assert.Equal(length == 50_000, !header.Matches(kept.AsSpan(EntryHeader.SizeBytes))); // of a long one the list of its parts
        Assert.Equal(good, await store.ReadAsync(TestObjects.KeyOf(good)));
        Assert.Equal(CommitResult.Committed, await store.WriteAsync(TestObjects.KeyOf(bad), bad));
        Assert.Empty((await store.VerifyAsync(null, isRepairing: true)).Damaged);
    }

    /// <summary>Its entry is as it was written, but was wrong by then: memory, or a processor, had failed.</summary>
    [Theory]
    [InlineData(50_000)]
    [InlineData(900_000)]
    public async Task Object_WithTheChecksumOfWrongBytes_IsFound(int length)
    {
        byte[] bytes = TestObjects.Bytes(1, length);
        ObjectKey key = TestObjects.KeyOf(bytes);
        await using FasterObjectStore store =
            await FasterObjectStore.OpenAsync(new StoreOptions { Path = _directory.Path, QuotaBytes = StoreOptions.MinQuotaBytes });
        await store.WriteAsync(key, bytes);
        Assert.True(store.Table.TryGet(key, out IndexEntry place));
        long address = place.IsSealed ? store.Table.Extents.Find(place.Address)!.Addresses[1] : place.Address;
        byte[] entry = new byte[EntryHeader.SizeBytes + PartSize.Of(length, place.IsSealed ? 1 : 0)];
        EntryHeader header = place.IsSealed
            ? new EntryHeader(EntryKind.Part, key, length, 1, entry.AsSpan(EntryHeader.SizeBytes))
            : new EntryHeader(EntryKind.Whole, key, length, 0, entry.AsSpan(EntryHeader.SizeBytes));
        header.Write(entry);
        Assert.True(store.Log.Segments.TryGet(0, out Segment? segment));
        segment.Write(entry, address + BlobLog.LengthPrefixBytes);

        Assert.Equal([key], (await store.VerifyAsync(null, isRepairing: false)).Damaged);
    }

    /// <summary>A hundred at most: what is oldest makes room.</summary>
    [Theory]
    [InlineData(99, false)]
    [InlineData(102, true)]
    public async Task Quarantine_OfManyObjects_KeepsTheHundredThatCameLast(int before, bool isOldestGone)
    {
        byte[] bytes = TestObjects.Bytes(1, 1_000);
        await using FasterObjectStore store =
            await FasterObjectStore.OpenAsync(new StoreOptions { Path = _directory.Path, QuotaBytes = StoreOptions.MinQuotaBytes });
        await store.WriteAsync(TestObjects.KeyOf(bytes), bytes);
        string folder = Path.Combine(_directory.Path, "quarantine");
        Directory.CreateDirectory(folder);
        for (int i = 0; i < before; i++)
        {
            File.WriteAllBytes(Path.Combine(folder, $"{i}"), []);
            File.SetLastWriteTimeUtc(Path.Combine(folder, $"{i}"), DateTime.UnixEpoch.AddHours(i));
        }

        StoreFiles.Flip(_directory.Path, bytes);
        await store.VerifyAsync(null, isRepairing: true);

        Assert.Equal(100, Directory.GetFiles(folder).Length);
        Assert.Equal(isOldestGone, !File.Exists(Path.Combine(folder, "0")));
        Assert.True(File.Exists(Path.Combine(folder, $"{before - 1}")));
    }

    [Fact]
    public async Task Pass_ThatIsCalledOff_Ends()
    {
        byte[] bytes = TestObjects.Bytes(1, 1_000);
        await using FasterObjectStore store =
            await FasterObjectStore.OpenAsync(new StoreOptions { Path = _directory.Path, QuotaBytes = StoreOptions.MinQuotaBytes });
        await store.WriteAsync(TestObjects.KeyOf(bytes), bytes);
        Scrubber scrubber = new(store.Table, store.Log, Path.Combine(_directory.Path, "quarantine"), NullLogger.Instance);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scrubber.PassAsync(null, false, new CancellationToken(true)));
    }

    [Fact]
    public async Task List_AfterWritesAndRemovals_NamesWhatIsThere()
    {
        await using FasterObjectStore store =
            await FasterObjectStore.OpenAsync(new StoreOptions { Path = _directory.Path, QuotaBytes = StoreOptions.MinQuotaBytes });
        byte[][] objects = [.. Enumerable.Range(0, 5).Select(i => TestObjects.Bytes(i, 1000 + (i * 150_000)))];
        await Task.WhenAll(objects.Select(bytes => store.WriteAsync(TestObjects.KeyOf(bytes), bytes)));
        store.Remove(TestObjects.KeyOf(objects[4]));
        store.Pins.Put("one", [TestObjects.KeyOf(objects[0])]);

        StoredObjectInfo[] listed = [.. store.List()];

        Assert.Equal(objects.Take(4).Select(bytes => (TestObjects.KeyOf(bytes).ToString(), (long)bytes.Length)).Order(),
            listed.Select(o => (o.Key.ToString(), o.Length)).Order());
        Assert.Equal(TestObjects.KeyOf(objects[0]), Assert.Single(listed, o => o.IsPinned).Key);
    }

    [Fact]
    public async Task EvictTo_HalfOfTheStore_KeepsPinned()
    {
        await using FasterObjectStore store =
            await FasterObjectStore.OpenAsync(new StoreOptions { Path = _directory.Path, QuotaBytes = StoreOptions.MinQuotaBytes });
        byte[][] objects = [.. Enumerable.Range(0, 400).Select(i => TestObjects.Bytes(i, 100_000))];
        await Task.WhenAll(objects.Select(bytes => store.WriteAsync(TestObjects.KeyOf(bytes), bytes)));
        store.Pins.Put("some", [.. objects.Take(20).Select(bytes => TestObjects.KeyOf(bytes))]);
        Assert.Equal(objects.Select(bytes => $"{TestObjects.KeyOf(bytes)}").Order(), store.List().Select(o => $"{o.Key}").Order());

        long used = await store.EvictToAsync(16 << 20);

        Assert.True(used <= 16 << 20, $"{used}");
        Assert.All(objects.Take(20), bytes => Assert.True(store.Contains(TestObjects.KeyOf(bytes))));
        Assert.False(store.Contains(TestObjects.KeyOf(objects[30])));
    }
}

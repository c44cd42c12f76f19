using Breakwater.CacheStore.Documents;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Store;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.CacheStore.Tests.Store;

/// <summary>How large a store is, and what it says of itself.</summary>
public sealed class StoreSizesTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>Four fifths of what is free, fixed at the first start.</summary>
    [Fact]
    public async Task Quota_ThatIsNotSet_IsRememberedFromTheFirstStart()
    {
        HookedDisk disk = new() { Free = 1000L << 20 };
        await using (FasterObjectStore store = await OpenAsync(disk, null))
        {
            Assert.Equal(800L << 20, store.Statistics.QuotaBytes);
        }

        disk.Free = 10L << 20;
        await using (FasterObjectStore store = await OpenAsync(disk, null))
        {
            Assert.Equal(800L << 20, store.Statistics.QuotaBytes);
        }

        await using (FasterObjectStore store = await OpenAsync(disk, 128L << 20))
        {
            Assert.Equal(128L << 20, store.Statistics.QuotaBytes);
        }

        // One that makes no sense is not believed.
        disk.Free = 200L << 20;
        File.WriteAllText(Path.Combine(_directory.Path, "quota"), $"{StoreOptions.MinQuotaBytes - 1}");
        long objects = disk.BytesOf(Path.Combine(_directory.Path, "objects"));
        await using (FasterObjectStore store = await OpenAsync(disk, null))
        {
            Assert.Equal((long)(0.8 * ((200L << 20) + objects)), store.Statistics.QuotaBytes);
        }
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(-1, false)]
    public async Task Quota_OfTheLeast_IsTakenAndOneByteLessIsNot(int difference, bool isTaken)
    {
        Task<FasterObjectStore> opening = OpenAsync(new HookedDisk(), StoreOptions.MinQuotaBytes + difference);
        if (isTaken)
        {
            await using FasterObjectStore store = await opening;
            Assert.Equal(StoreOptions.MinQuotaBytes, store.Statistics.QuotaBytes);
        }
        else
        {
            await Assert.ThrowsAsync<ArgumentException>(() => opening);
        }
    }

    [Fact]
    public async Task Statistics_OfAStore_CountWhatItHasAndDid()
    {
        await using FasterObjectStore store = await OpenAsync(new HookedDisk(), 64L << 20);
        StoreStatistics empty = store.Statistics;
        Assert.Equal((0L, 0L, 0L, 0L), (empty.Objects, empty.StoredBytes, empty.PinnedBytes, empty.KeptBytes));
        Assert.Equal((0L, 0L, 0L), (empty.RewrittenBytes, empty.EvictedObjects, empty.DamagedObjects));
        byte[] first = TestObjects.Bytes(1, 1000);
        byte[] second = TestObjects.Bytes(2, 600_000);
        await store.WriteAsync(TestObjects.KeyOf(first), first);
        await store.WriteAsync(TestObjects.KeyOf(second), second);
        await store.WriteAsync(TestObjects.KeyOf(second), second); // it is there
        store.Pins.Put("p", [TestObjects.KeyOf(first)]);
        await store.Documents.PutAsync("d", new StoredDocument(new byte[3], default, DateTimeOffset.UnixEpoch));
        StoreStatistics full = store.Statistics;
        Assert.Equal((2L, 601_000L, 1000L, 0L), (full.Objects, full.StoredBytes, full.PinnedBytes, full.KeptBytes));
        Assert.Equal((0L, 0L, 0L), (full.RewrittenBytes, full.EvictedObjects, full.DamagedObjects));
        Assert.Equal((1L, 4L << 20, 4L << 20, null), (full.Documents, full.FreshBytes, full.UsedBytes, full.WriteFailure));
        Assert.Equal(16 + 16, store.MostOpenFiles);
        Assert.Null(store.Missing);
    }

    /// <summary>Records, a table of 64 bytes for seven objects of 32 KiB and a quarter of it, and the logs' pages.</summary>
    [Theory]
    [InlineData(1L << 24, 64L << 20, (16L << 20) + (5L << 18) + (64L << 20))]
    [InlineData(1L << 20, 64L << 20, (16L << 20) + (5L << 18) + (64L << 20))]
    [InlineData(1L << 30, 64L << 20, (1L << 30) + (5L << 18) + (64L << 20))]
    [InlineData(1L << 30, 7L << 30, (1L << 30) + (5L << 19) + (64L << 20))]
    public void Heap_OfAQuota_IsThatOfItsParts(long indexMemory, long quota, long bytes) =>
        Assert.Equal(bytes, new StoreOptions { IndexMemoryBytes = indexMemory }.HeapBytes(quota));

    private Task<FasterObjectStore> OpenAsync(HookedDisk disk, long? quota) => FasterObjectStore.OpenAsync(
        new StoreOptions { Path = _directory.Path, QuotaBytes = quota, MinFreeBytes = 0 }, disk, TimeProvider.System, NullLogger.Instance,
        default);

    [Theory]
    [InlineData(64L << 20, 21, 23, 22)]
    [InlineData(256L << 20, 21, 23, 22)]
    [InlineData((512L << 20) - 1, 21, 23, 22)]
    [InlineData(512L << 20, 22, 24, 23)]
    [InlineData(1L << 30, 23, 25, 24)]
    [InlineData(2L << 30, 23, 25, 25)]
    [InlineData(16L << 30, 23, 25, 28)]
    [InlineData(1L << 50, 23, 25, 28)]
    public void Geometry_OfAQuota_HasAboutSixtyFourSegmentsOf4To256Mebibytes(long quota, int page, int memory, int segment) =>
        Assert.Equal(new LogGeometry(page, memory, segment), StoreParts.GeometryFor(quota));
}

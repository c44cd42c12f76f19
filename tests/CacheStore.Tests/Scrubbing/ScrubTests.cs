using Breakwater.CacheStore.Scrubbing;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;

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
        Assert.True(store.Contains(TestObjects.KeyOf(bad)));

        ScrubReport repaired = await store.VerifyAsync(null, isRepairing: true);
        Assert.Equal(2, repaired.Objects);
        Assert.Equal([TestObjects.KeyOf(bad)], told);
        Assert.False(store.Contains(TestObjects.KeyOf(bad)));
        Assert.Single(Directory.GetFiles(Path.Combine(_directory.Path, "quarantine")));
        Assert.Equal(good, await store.ReadAsync(TestObjects.KeyOf(good)));
        Assert.Equal(CommitResult.Committed, await store.WriteAsync(TestObjects.KeyOf(bad), bad));
        Assert.Empty((await store.VerifyAsync(null, isRepairing: true)).Damaged);
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

        long used = await store.EvictToAsync(16 << 20);

        Assert.True(used <= 16 << 20, $"{used}");
        Assert.All(objects.Take(20), bytes => Assert.True(store.Contains(TestObjects.KeyOf(bytes))));
        Assert.False(store.Contains(TestObjects.KeyOf(objects[30])));
    }
}

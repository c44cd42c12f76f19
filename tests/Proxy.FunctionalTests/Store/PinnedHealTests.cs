using Breakwater.CacheStore.Scrubbing;
using Breakwater.Proxy.Seeding;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Store;

/// <summary>A pinned object rots on the disk below a running proxy.</summary>
public sealed class PinnedHealTests
{
    [Theory]
    [InlineData(50_000, "workingset/synthetic.example.org/1")]
    [InlineData(900_000, "seed:lab")] // its record says whose it is
    public async Task Scrub_DamagedPinnedObject_IsFetchedAgainAndServedRight(int sizeBytes, string pin)
    {
        using TemporaryDirectory directory = new();
        await using ScriptedUpstream stratum1 = ScriptedUpstream.Start();
        SyntheticObject pinned = new SyntheticObject(sizeBytes, 1).On(stratum1);
        SyntheticObject other = new SyntheticObject(sizeBytes, 2).On(stratum1);
        string store = directory.Combine("store");
        await using ProxyUnderTest proxy =
            await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Store:Path"] = store }, null, stratum1);
        Assert.Equal(200, (await proxy.GetAsync(pinned.Url)).Status);
        Assert.Equal(200, (await proxy.GetAsync(other.Url)).Status);
        await new SeedRecords(proxy.Store.Documents).PutAsync(
            new SeedRecord("lab", "", DateTimeOffset.UnixEpoch, 1, sizeBytes,
                [new SeedRecordRepository("synthetic.example.org", 1, true, DateTimeOffset.UnixEpoch, [])]),
            new Dictionary<string, byte[]>(), default);
        proxy.Store.Pins.Put(pin, [pinned.Key]);
        await Waiting.UntilAsync(() => proxy.Store.List().Count() == 2); // durable, and read from the disk from now on
        StoreFiles.Flip(store, pinned.Bytes);
        StoreFiles.Flip(store, other.Bytes);

        ScrubReport report = await proxy.Store.VerifyAsync(null, isRepairing: true);
        await Waiting.UntilAsync(() => proxy.Store.Contains(pinned.Key));

        Assert.Equal(new[] { pinned.Key, other.Key }.Order(KeyOrder), report.Damaged.Order(KeyOrder));
        Assert.False(proxy.Store.Contains(other.Key)); // not pinned: when somebody asks for it
        Assert.Equal(pinned.Bytes, (await proxy.GetAsync(pinned.Url)).Body);
        Assert.Equal(pinned.Bytes, await proxy.ReadStoredAsync(pinned.Key));
        Assert.Equal((2, 1), (stratum1.RequestCount(pinned.Path), stratum1.RequestCount(other.Path)));
    }

    private static Comparer<CacheStore.ObjectKey> KeyOrder { get; } =
        Comparer<CacheStore.ObjectKey>.Create(static (a, b) => string.CompareOrdinal(a.ToString(), b.ToString()));
}

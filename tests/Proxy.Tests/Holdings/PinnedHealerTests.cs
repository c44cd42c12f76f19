using Breakwater.CacheStore;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Holdings;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Tests.Documents;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Holdings;

/// <summary>What is done when the store finds a pinned object damaged.</summary>
public sealed class PinnedHealerTests : IAsyncLifetime
{
    private readonly BuiltDocuments _proxy = new();
    private readonly LogLines<PinnedHealer> _log = new();
    private readonly SyntheticObject _item = new(1000, 77);
    private PinnedHealer _healer = null!;

    public async Task InitializeAsync()
    {
        await _proxy.OpenAsync();
        _healer = new PinnedHealer(_proxy.Store, _proxy.Get<ObjectReader>(), _proxy.Get<RepositoryRoutes>(),
            _proxy.Get<SignedDocuments>(), _proxy.Get<SeedRegistry>(), _log);
        await _healer.StartAsync(default);
    }

    public async Task DisposeAsync()
    {
        await _healer.StopAsync(default);
        _healer.Dispose();
        await _proxy.DisposeAsync();
    }

    /// <summary>The repositories of its seed are asked one after the other, until one has it. What is not pinned is left alone.</summary>
    [Theory]
    [InlineData("synthetic lost", "has been fetched again (synthetic.example.org)", 0)]
    [InlineData("lost synthetic", "has been fetched again (synthetic.example.org)", 1)]
    [InlineData("lost", "cannot be fetched again now: ", 1)]
    public async Task Damaged_APinnedObject_IsFetchedFromARepositoryThatHasIt(string repositories, string says, int askedInVain)
    {
        _item.On(_proxy.Upstream);
        SyntheticObject other = new SyntheticObject(1000, 78).On(_proxy.Upstream);
        SeedRecordRepository[] carried = [.. repositories.Split(' ')
            .Select(name => new SeedRecordRepository($"{name}.example.org", 1, true, DateTimeOffset.UnixEpoch, []))];
        await new SeedRecords(_proxy.Store.Documents).PutAsync(
            new SeedRecord("lab", "", DateTimeOffset.UnixEpoch, 1, 1000, carried), new Dictionary<string, byte[]>(), default);
        _proxy.Store.Pins.Put("seed:lab", [_item.Key]);

        _proxy.Store.Damaged!(other.Key);
        _proxy.Store.Damaged(_item.Key);

        await Waiting.UntilAsync(() => _log.Said.Count > 0);
        Assert.Contains(says, Assert.Single(_log.Said), StringComparison.Ordinal);
        Assert.Equal(askedInVain, _proxy.Upstream.RequestCount($"/cvmfs/lost.example.org/{_item.Key.ToPath()}"));
        Assert.Equal((says.Contains("synthetic", StringComparison.Ordinal), false),
            (_proxy.Store.Contains(_item.Key), _proxy.Store.Contains(other.Key)));
    }

    /// <summary>What is no seed's is asked of the repository that the set's name tells. It stops with the proxy.</summary>
    [Theory]
    [InlineData("workingset/synthetic.example.org/1", "has been fetched again (synthetic.example.org)")]
    [InlineData("seed:unknown", "no repository is known that has it")]
    [InlineData("somebody's", "no repository is known that has it")]
    public async Task Damaged_APinnedObject_IsAskedOfTheRepositoryOfItsSet(string pin, string says)
    {
        _item.On(_proxy.Upstream);
        _proxy.Store.Pins.Put(pin, [_item.Key]);

        _proxy.Store.Damaged!(_item.Key);

        await Waiting.UntilAsync(() => _log.Said.Count > 0);
        Assert.Contains(says, Assert.Single(_log.Said), StringComparison.Ordinal);
        await _healer.StopAsync(default);
        Assert.Null(_proxy.Store.Damaged);
    }
}

using System.Diagnostics.Metrics;
using Breakwater.CacheStore;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.TestSupport;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Prefetching;

/// <summary>What is fetched ahead, and for whom it waits.</summary>
public sealed class PrefetcherTests : IClassFixture<TwoStores>, IDisposable
{
    private readonly TwoStores _stores;
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly FakeTimeProvider _time = new();
    private readonly ProxyCounters _counters;
    private readonly PrefetchPace _pace;
    private readonly RepositoryRoute _route = new(Fqrn.Parse("a.example.org"), "test");

    public PrefetcherTests(TwoStores stores)
    {
        _stores = stores;
        _counters = new ProxyCounters(_services.GetRequiredService<IMeterFactory>());
        _pace = new PrefetchPace(_counters, _time);
    }

    public void Dispose()
    {
        _pace.Dispose();
        _counters.Dispose();
        _services.Dispose();
    }

    [Theory]
    [InlineData(nameof(PrefetchAim.Store), true)]
    [InlineData(nameof(PrefetchAim.Memory), true)]
    [InlineData(nameof(PrefetchAim.Boot), true)]
    [InlineData(nameof(PrefetchAim.Store), false)]
    [InlineData(nameof(PrefetchAim.Memory), false)]
    [InlineData(nameof(PrefetchAim.Boot), false)]
    public async Task Run_OfObjects_CountsThoseThatAreHereAndThoseThatCame(string aim, bool areHere)
    {
        using Prefetcher prefetcher = _stores.Prefetcher(areHere, _pace);
        var progress = new PrefetchProgress();

        await prefetcher.RunAsync(_route, _stores.Keys, progress, Enum.Parse<PrefetchAim>(aim), default).InTimeAsync();

        int all = _stores.Keys.Count;
        Assert.Equal((all, areHere ? all : 0, areHere ? 0 : all, 0), (progress.Total, progress.Present, progress.Fetched, progress.Failed));
    }

    [Fact]
    public async Task Run_BesideClientsThatAreBusy_WaitsUnlessItIsForABootOrHasNothingToFetch()
    {
        await OweAsync();
        using Prefetcher prefetcher = _stores.Prefetcher(hasAll: false, _pace), had = _stores.Prefetcher(hasAll: true, _pace);
        (PrefetchProgress waits, PrefetchProgress boots, PrefetchProgress present) = (new(), new(), new());
        Task waiting = prefetcher.RunAsync(_route, _stores.Keys, waits, PrefetchAim.Memory, default);

        await prefetcher.RunAsync(_route, _stores.Keys, boots, PrefetchAim.Boot, default).InTimeAsync();
        await had.RunAsync(_route, _stores.Keys, present, PrefetchAim.Memory, default).InTimeAsync();

        Assert.Equal((_stores.Keys.Count, _stores.Keys.Count, 0), (boots.Fetched, present.Present, waits.Fetched));
        await Waiting.UntilAsync(() =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(100)); // clients are quiet by now
            return waiting.IsCompleted;
        });
        await waiting.InTimeAsync();
        Assert.Equal(_stores.Keys.Count, waits.Fetched);
    }

    [Fact]
    public async Task LookAhead_OfATrailOfFour_FetchesTheOneBehindTheThirdAndNothingBeforeThat()
    {
        using Prefetcher prefetcher = _stores.Prefetcher(hasAll: false, _pace);
        (SavedTrails trails, LogLines<LookAhead> log) = (Trails(new HeldDocuments()), new());
        trails.Trails.Restore(_route.Fqrn, _stores.Keys.Take(4));
        using LookAhead ahead = new(prefetcher, trails, new WorkingSetOptions(), _time, log);

        MissThree(ahead);
        await Waiting.UntilAsync(() => log.Said.Count > 0);

        Assert.Contains("1 objects: 1 fetched", Assert.Single(log.Said), StringComparison.Ordinal);
    }

    [Fact]
    public async Task LookAhead_OfAProxyThatStops_FetchesNothingMore()
    {
        using Prefetcher prefetcher = _stores.Prefetcher(hasAll: false, _pace);
        (HeldDocuments documents, LogLines<LookAhead> log) = (new(), new());
        (SavedTrails trails, SavedTrails others) = (Trails(documents), Trails(new HeldDocuments()));
        Learn(trails, _route.Fqrn.ToString());
        others.Trails.Restore(_route.Fqrn, _stores.Keys.Take(5));
        using LookAhead ahead = new(prefetcher, trails, new WorkingSetOptions(), _time, log);
        await StartAsync(ahead, documents);
        await ahead.StopAsync(default).InTimeAsync();

        MissThree(ahead);
        using LookAhead running = new(prefetcher, others, new WorkingSetOptions(), _time, log);
        MissThree(running);
        await Waiting.UntilAsync(() => log.Said.Count > 0);

        Assert.Contains("2 objects: 2 fetched", Assert.Single(log.Said), StringComparison.Ordinal);
    }

    [Fact]
    public async Task LookAhead_Trails_AreSavedEveryTenSecondsAndAtTheEnd()
    {
        using Prefetcher prefetcher = _stores.Prefetcher(hasAll: false, _pace);
        var documents = new HeldDocuments();
        SavedTrails trails = Trails(documents);
        using LookAhead ahead = new(prefetcher, trails, new WorkingSetOptions(), _time, new LogLines<LookAhead>());
        Learn(trails, "a.example.org");
        await StartAsync(ahead, documents);
        Learn(trails, "b.example.org");
        await ahead.StopAsync(default).InTimeAsync();

        Assert.Equal(["trail/a.example.org", "trail/b.example.org"], documents.Keys().Order(StringComparer.Ordinal));
        Assert.Equal((2, 2 * _stores.Keys.Count), Trails(documents).Trails.Held);
    }

    /// <summary>Starts it, and waits until it has saved what was learned.</summary>
    private async Task StartAsync(LookAhead ahead, HeldDocuments documents)
    {
        await ahead.StartAsync(default).InTimeAsync();
        await Waiting.UntilAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            return documents.Keys().Count > 0;
        });
    }

    private SavedTrails Trails(HeldDocuments documents) =>
        new(documents, new WorkingSetOptions(), _time, new LogLines<SavedTrails>());

    private void Learn(SavedTrails trails, string fqrn)
    {
        foreach (ObjectKey key in _stores.Keys)
        {
            trails.Trails.Learn(Fqrn.Parse(fqrn), key);
        }
    }

    private void MissThree(LookAhead ahead)
    {
        foreach (ObjectKey key in _stores.Keys.Take(3))
        {
            ahead.Missed(_route, key);
        }
    }

    /// <summary>Clients are busy, and much was fetched beside them.</summary>
    private async Task OweAsync()
    {
        for (int i = 0; i < 1000; i++)
        {
            _counters.CountHitPathAnswer();
        }

        _time.Advance(TimeSpan.FromMilliseconds(100));
        await _pace.WaitAsync(default).InTimeAsync();
        _pace.Charge(1 << 30);
    }
}

using System.Net;
using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Pins;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Trends;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Admin;

/// <summary>The rooms of the store, of traffic and of pins on the admin port of a proxy that has served one object.</summary>
public sealed class RoomsTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private SyntheticObject _item = null!;
    private ProxyUnderTest _proxy = null!;
    private AdminClient _admin = null!;

    public async Task InitializeAsync()
    {
        _item = new SyntheticObject(10_000).On(_upstream);
        _proxy = await ProxyUnderTest.StartAsync(_upstream);
        _admin = new AdminClient(_proxy.Services.GetRequiredService<BreakwaterSettings>());
        Assert.Equal(_item.Bytes, (await _proxy.GetAsync(_item.Url)).Body);
        await Waiting.UntilAsync(() => _proxy.Store.Find(_item.Key) is not null);
    }

    public async Task DisposeAsync()
    {
        _admin.Dispose();
        await _proxy.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Objects_ByPin_AreAllOrThoseThatArePinned()
    {
        Assert.Equal([new ListedObject(_item.Key.ToString(), 10_000, false)], await ListAsync("store/objects"));
        Assert.Empty(await ListAsync("store/objects?pinned=true"));

        _proxy.Store.Pins.Put("warm/a.example.org/mine", [_item.Key]);

        Assert.Equal([new ListedObject(_item.Key.ToString(), 10_000, true)], await ListAsync("store/objects?pinned=true"));
        Assert.Empty(await ListAsync("store/objects?repository=no_name/"));
        foreach (string path in (string[])["store/pins", "pins"])
        {
            Assert.Equal([new PinSet("warm/a.example.org/mine", 1, 1, 10_000)], await _admin.GetAsync<PinSet[]>(path, default));
        }
    }

    [Fact]
    public async Task Evict_DownToNothing_IsDoneAndLessThanNothingIsRefused()
    {
        AdminException refused =
            await Assert.ThrowsAsync<AdminException>(() => _admin.PostAsync<EvictResult>("store/evict?bytes=-1", null, default));
        Assert.Equal((HttpStatusCode.BadRequest, "bytes must not be negative."), (refused.Status, refused.Message));
        Assert.NotNull(_proxy.Store.Find(_item.Key));

        EvictResult evicted = await _admin.PostAsync<EvictResult>("store/evict?bytes=0", null, default);

        Assert.InRange(evicted.UsedBytes, 0, _proxy.Store.Statistics.QuotaBytes);
    }

    [Theory]
    [InlineData("store/verify", false)]
    [InlineData("store/verify?repair=false", false)]
    [InlineData("store/verify?repair=true", true)]
    public async Task Verify_OfARightStore_ReadsItAllAndRepairsOnDemandAlone(string path, bool isRepaired)
    {
        VerifyResult result = await _admin.PostAsync<VerifyResult>(path, null, default);

        Assert.Equal((1, 10_000, isRepaired), (result.Objects, result.Bytes, result.IsRepaired));
        Assert.Empty(result.Damaged);
    }

    [Fact]
    public async Task Pins_LetGo_AreThoseThatAreThereOnce()
    {
        foreach (string name in (string[])["warm/a.example.org/one", "warm/a.example.org/two"])
        {
            _proxy.Store.Pins.Put(name, [_item.Key]);
        }

        PinSet one = await _admin.DeleteAsync<PinSet>("pins?name=warm%2Fa.example.org%2Fone", default);
        PinSet two = await _admin.PostAsync<PinSet>("pins/remove?name=warm%2Fa.example.org%2Ftwo", null, default);

        Assert.Equal(("warm/a.example.org/one", "warm/a.example.org/two"), (one.Name, two.Name));
        Assert.Empty(_proxy.Store.Pins.List());
        AdminException gone =
            await Assert.ThrowsAsync<AdminException>(() => _admin.DeleteAsync<PinSet>("pins?name=warm%2Fa.example.org%2Fone", default));
        Assert.Equal(HttpStatusCode.NotFound, gone.Status);
    }

    [Fact]
    public async Task Status_AfterAMissAndAHit_CountsThem()
    {
        Assert.Equal(_item.Bytes, (await _proxy.GetAsync(_item.Url)).Body);
        Assert.Equal(403, (await _proxy.GetAsync("/cvmfs/not.allowed.test/.cvmfspublished")).Status);
        await _proxy.CountedAsync(3);

        ServerStatus status = await _admin.GetAsync<ServerStatus>("status", default);

        Assert.Equal((3, 10_000, 0.5, 0.5), (status.Requests, status.UpstreamBytes, status.HitRatio, status.ByteHitRatio));
        Assert.Equal((10_000, 10_000), (status.BytesSaved, status.MemoryBytes + status.DiskBytes));
        Assert.Equal(status.Results.Sum(result => result.Bytes), status.BytesSent);
        Assert.True(status.BytesSent >= 20_000);
        Assert.Equal((1, 1, 1), (Of("hit"), Of("miss"), Of("refused")));
        Assert.Equal((0, 0), (status.FetchFollowers, status.FetchesWaiting));
        Assert.InRange(status.StoreDiskFreeBytes, 1, long.MaxValue);
        Assert.InRange(status.UptimeSeconds, 0.000_001, Waiting.Hang.TotalSeconds);
        UpstreamStatus upstream = Assert.Single(status.Upstreams, one => one.Cluster == "test");
        Assert.Equal(("s1", _upstream.EndPoint.ToString(), true), (upstream.Name, upstream.Upstream, upstream.IsInUse));

        long Of(string result) => status.Results.Single(one => one.Result == result).Requests;
    }

    [Fact]
    public async Task History_BySpan_HasItsIntervalAndStormsAreAList()
    {
        foreach ((string question, int seconds) in (IEnumerable<(string, int)>)
            [("history", 60), ("history?span=", 60), ("history?span=day", 60), ("history?span=month", 3600)])
        {
            Assert.Equal(seconds, (await _admin.GetAsync<HistoryColumns>(question, default)).IntervalSeconds);
        }

        foreach (string question in (string[])["storms", "storms?limit=0", "storms?limit=99999"])
        {
            Assert.Equal(JsonValueKind.Array, (await _admin.GetAsync<JsonElement>(question, default)).ValueKind);
        }
    }

    [Fact]
    public async Task Metrics_OfStoreAndProxy_AreThere()
    {
        Assert.Equal(1, await _proxy.MetricAsync("breakwater_upstream_healthy", "cluster=\"test\"", _upstream.EndPoint.ToString()));

        // Of all proxies of this process.
        Assert.InRange(await _proxy.MetricAsync("breakwater_build_info"), 1, double.MaxValue);

        // An object is found before it is counted.
        await Waiting.UntilAsync(async () =>
            await _proxy.MetricAsync("breakwater_repositories_stored_bytes", "pattern=\"*.example.org\"") >= 10_000);
    }

    private async Task<List<ListedObject>> ListAsync(string path)
    {
        List<ListedObject> listed = [];
        await foreach (ListedObject one in _admin.StreamAsync<ListedObject>(HttpMethod.Get, path, null, default))
        {
            listed.Add(one);
        }

        return listed;
    }
}

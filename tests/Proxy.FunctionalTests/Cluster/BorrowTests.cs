using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Cluster;

/// <summary>Several nodes are one cache: each object comes from a Stratum 1 once.</summary>
public sealed class BorrowTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private SiteOfNodes? _site;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_site is not null)
        {
            await _site.DisposeAsync();
        }

        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Objects_AskedOfEveryNodeAtOnce_ComeFromUpstreamOnceAndAreThenStoredEverywhere()
    {
        _site = await SiteOfNodes.StartAsync(3, [_upstream]);
        SyntheticObject[] items = [.. Enumerable.Range(0, 24).Select(i => new SyntheticObject(1000 + (i * 9000), i).On(_upstream))];

        await AskEveryNodeAsync(items);
        await AskEveryNodeAsync(items);

        Assert.All(items, item => Assert.Equal(1, _upstream.RequestCount(item.Path)));
        Assert.All(items, item => Assert.All(Enumerable.Range(0, 3), node => Assert.True(_site[node].Store.Contains(item.Key))));
        Assert.All(items, item => Assert.All(Enumerable.Range(0, 3), node => Assert.Equal(
            node != _site.OwnerOf(item), _site[node].Services.GetRequiredService<FasterObjectStore>().IsElsewhere!(item.Key))));
        Assert.Equal(2 * 24, Enumerable.Range(0, 3).Sum(node => Totals(node).Borrowed));
        Assert.Equal(3, items.Select(_site.OwnerOf).Distinct().Count());
    }

    [Fact]
    public async Task LargeObject_StillOnItsWay_IsStreamedThroughTheOwner()
    {
        _site = await SiteOfNodes.StartAsync(2, [_upstream]);
        SyntheticObject item = new SyntheticObject(4 << 20, seed: 5).On(_upstream);
        var gate = new Gate();
        _upstream.Script(item.Path, UpstreamBehaviour.WaitsAt(3 << 20, gate));

        using RawHttpClient client = await _site[1 - _site.OwnerOf(item)].ConnectAsync();
        await client.SendAsync(RawHttpClient.Request("GET", item.Path));
        RawResponseHead head = await client.ReadHeadAsync();
        byte[] begin = await client.ReadExactlyAsync(2 << 20);
        Assert.False(gate.Opened.IsCompleted);
        gate.Open();
        byte[] rest = await client.ReadExactlyAsync(item.Bytes.Length - begin.Length);

        Assert.Equal(item.Bytes.Length, head.ContentLength);
        Assert.Equal(item.Bytes, begin.Concat(rest));
        Assert.Equal(1, _upstream.RequestCount(item.Path));
    }

    [Fact]
    public async Task Owner_Gone_OthersServeAtOnceAndSeeItDead()
    {
        _site = await SiteOfNodes.StartAsync(3, [_upstream]);
        SyntheticObject[] items = [.. Enumerable.Range(0, 12).Select(i => new SyntheticObject(20_000, i + 100).On(_upstream))];
        int gone = _site.OwnerOf(items[0]);
        await _site.StopAsync(gone);

        foreach (SyntheticObject item in items)
        {
            foreach (int node in Enumerable.Range(0, 3).Where(n => n != gone))
            {
                Assert.Equal(item.Bytes, (await _site[node].GetAsync(item.Path)).Body);
            }
        }

        await _site.SeesAllAsync(2);
        await _site.StartAsync(gone);
        await _site.SeesAllAsync(3);
        SyntheticObject late = new SyntheticObject(20_000, seed: 999).On(_upstream);
        await AskEveryNodeAsync([late]);
        Assert.Equal(1, _upstream.RequestCount(late.Path));
    }

    [Fact]
    public async Task Owner_CameLater_GetsWhatTheOthersHoldWithoutAStratum1()
    {
        _site = await SiteOfNodes.StartAsync(2, [_upstream]);
        SyntheticObject item = new SyntheticObject(30_000, seed: 7).On(_upstream);
        int owner = _site.OwnerOf(item);
        await _site.StopAsync(owner);
        await _site.SeesAllAsync(1);
        Assert.Equal(item.Bytes, (await _site[1 - owner].GetAsync(item.Path)).Body);
        await _site.StartAsync(owner);
        await _site.SeesAllAsync(2);

        Assert.Equal(item.Bytes, (await _site[owner].GetAsync(item.Path)).Body);

        Assert.Equal(1, _upstream.RequestCount(item.Path));
        Assert.Equal(1, Totals(owner).Moved);
    }

    /// <summary>A rolling restart once cost a second request for what the others were just getting.</summary>
    [Fact]
    public async Task Owner_CameBackWhileTheOtherGetsItsObject_SharesThatRequest()
    {
        _site = await SiteOfNodes.StartAsync(2, [_upstream]);
        SyntheticObject item = new SyntheticObject(200_000, seed: 8).On(_upstream);
        int owner = _site.OwnerOf(item);
        await _site.StopAsync(owner);
        await _site.SeesAllAsync(1);
        var gate = new Gate();
        _upstream.Script(item.Path, UpstreamBehaviour.WaitsAt(100_000, gate));
        Task<RawResponse> first = _site[1 - owner].GetAsync(item.Path);
        FetchCoordinator fetches = _site[1 - owner].Services.GetRequiredService<FetchCoordinator>();
        await Waiting.UntilAsync(() => fetches.InFlight.Any(fetch => fetch.Body.Appended > 90_000));
        await _site.StartAsync(owner);
        await _site.SeesAllAsync(2);

        Task<RawResponse> second = _site[owner].GetAsync(item.Path);
        await Waiting.UntilAsync(() => fetches.InFlight.Any(fetch => fetch.Followers == 2));
        gate.Open();

        Assert.Equal(item.Bytes, (await first).Body);
        Assert.Equal(item.Bytes, (await second).Body);
        Assert.Equal(1, _upstream.RequestCount(item.Path));
        Assert.Equal(1, Totals(owner).Moved);
    }

    [Fact]
    public async Task Node_ToldToStop_GivesWhatItOwnedToTheOthersAtOnce()
    {
        _site = await SiteOfNodes.StartAsync(2, [_upstream]);
        SyntheticObject item = new SyntheticObject(30_000, seed: 9).On(_upstream);
        int owner = _site.OwnerOf(item);

        _site[owner].Services.GetRequiredService<Drain>().Begin();

        Assert.Equal([$"n{1 - owner}"], _site.Nodes(owner).View.Ring.Members.Select(member => member.Id));
        Assert.Equal(item.Bytes, (await _site[owner].GetAsync(item.Path)).Body);
        await Waiting.UntilAsync(() => _site[1 - owner].Store.Contains(item.Key));
        Assert.Equal(1, _upstream.RequestCount(item.Path));
    }

    [Fact]
    public async Task Object_ThatNoStratum1Has_IsA404AndNoStrike()
    {
        _site = await SiteOfNodes.StartAsync(2, [_upstream]);
        for (int i = 0; i < 8; i++)
        {
            var item = new SyntheticObject(100, seed: 300 + i);
            Assert.Equal(404, (await _site[i % 2].GetAsync(item.Path)).Status);
        }

        Assert.All(Enumerable.Range(0, 2), node => Assert.Equal(0, _site[node].Services.GetRequiredService<NodeStrikes>().Total));
    }

    [Fact]
    public async Task QueuesOfTwoPlaces_CrossedOwners_AllEnd()
    {
        _site = await SiteOfNodes.StartAsync(2, [_upstream], _ => new() { ["Proxy:MaxConcurrentFetches"] = "2" });
        _upstream.Everything = new UpstreamBehaviour { DelayBeforeHead = TimeSpan.FromMilliseconds(5) };
        SyntheticObject[] items = [.. Enumerable.Range(0, 40).Select(i => new SyntheticObject(5000, i + 500).On(_upstream))];

        await AskEveryNodeAsync(items);

        Assert.All(items, item => Assert.Equal(1, _upstream.RequestCount(item.Path)));
        Assert.Equal((1, 64), (_site.Nodes(0).ShareOf(2), _site.Nodes(1).ShareOf(127)));
        await _site.StopAsync(1);
        await _site.SeesAllAsync(1);
        Assert.Equal(2, _site.Nodes(0).ShareOf(2));
    }

    [Fact]
    public async Task OppositeViews_EachTakesTheOtherForTheOwner_NobodyWaitsForEver()
    {
        _site = await SiteOfNodes.StartAsync(2, [_upstream]);
        _upstream.Everything = new UpstreamBehaviour { DelayBeforeHead = TimeSpan.FromMilliseconds(20) };
        SyntheticObject[] items = [.. Enumerable.Range(0, 10).Select(i => new SyntheticObject(5000, i + 700).On(_upstream))];
        using var over = new CancellationTokenSource();

        // Probes mend the views again and again; this is quicker.
        Task confusing = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                _site.TakeTheOtherForTheOwnerOfAll(0);
                _site.TakeTheOtherForTheOwnerOfAll(1);
                await Task.Yield();
            }
        });
        await AskEveryNodeAsync(items);
        await over.CancelAsync();
        await confusing.InTimeAsync();
    }

    [Fact]
    public async Task Objects_PrefetchedByEveryNode_ComeFromUpstreamOnceAndVmsAskForNone()
    {
        _site = await SiteOfNodes.StartAsync(3, [_upstream]);
        SyntheticObject[] items = [.. Enumerable.Range(0, 12).Select(i => new SyntheticObject(20_000, i + 900).On(_upstream))];

        UpstreamFailure?[] failures = await Task.WhenAll(from item in items from node in _site.Running select PrefetchAsync(node, item));
        await AskEveryNodeAsync(items);

        Assert.All(failures, failure => Assert.Null(failure));
        Assert.All(items, item => Assert.Equal(1, _upstream.RequestCount(item.Path)));
    }

    [Fact]
    public async Task Leave_ByAnOperator_TheOthersOwnItsShareAndItGoesOnServing()
    {
        _site = await SiteOfNodes.StartAsync(2, [_upstream]);
        SyntheticObject item = new SyntheticObject(5000, seed: 800).On(_upstream);
        int owner = _site.OwnerOf(item);
        _site[owner].Services.GetRequiredService<NodeSelf>().Leave();
        await _site.SeesAllAsync(1);

        Assert.Equal(item.Bytes, (await _site[owner].GetAsync(item.Path)).Body);
        Assert.True(_site[1 - owner].Store.Contains(item.Key));
        Assert.Equal(1, _upstream.RequestCount(item.Path));
    }

    [Fact]
    public async Task SingleNode_HasNoNodePort()
    {
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_upstream);

        Assert.Null(proxy.Services.GetService<NodeServer>());
        Assert.Null(proxy.Services.GetService<PoolLateness>());
        Assert.IsType<NoNodes>(proxy.Services.GetRequiredService<ISiteNodes>());
    }

    private (long Borrowed, long BorrowedBytes, long Moved, long Hedges, long Served, long Refused) Totals(int node) =>
        _site![node].Services.GetRequiredService<NodeCounters>().Totals;

    private async Task AskEveryNodeAsync(SyntheticObject[] items)
    {
        (SyntheticObject Item, RawResponse Response)[] answers = await Task.WhenAll(
            from item in items
            from node in _site!.Running
            select AskAsync(node, item));
        Assert.All(answers, answer =>
        {
            Assert.Equal(200, answer.Response.Status);
            Assert.True(answer.Item.Bytes.AsSpan().SequenceEqual(answer.Response.Body));
        });
    }

    private Task<UpstreamFailure?> PrefetchAsync(int node, SyntheticObject item)
    {
        IServiceProvider services = _site![node].Services;
        Assert.True(services.GetRequiredService<RepositoryRoutes>().TryFind("synthetic.example.org"u8, out RepositoryRoute? route));
        return services.GetRequiredService<ObjectReader>()
            .FetchAsync(route, item.Key, null, FetchPriority.Prefetch, CancellationToken.None);
    }

    private async Task<(SyntheticObject, RawResponse)> AskAsync(int node, SyntheticObject item) =>
        (item, await _site![node].GetAsync(item.Path));
}

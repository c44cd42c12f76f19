using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Cluster;

/// <summary>A node that lies, hangs, drips or is none of the site: nobody gets a wrong byte, and it is skipped.</summary>
public sealed class BadNodeTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SiteOfNodes _site = null!;
    private FakeNode? _fake;

    /// <summary>Node 0 of a site of two; the other is not there yet.</summary>
    public async Task InitializeAsync()
    {
        _site = await SiteOfNodes.StartAsync(2, [_upstream], _ => new() { ["Cluster:HeadTimeout"] = "00:00:02" }, running: 1);
    }

    public async Task DisposeAsync()
    {
        _over.TrySetResult();
        if (_fake is not null)
        {
            await _fake.DisposeAsync();
        }

        await _site.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Owner_SendsWrongBytes_ClientsGetRightOnesAndItIsSkipped()
    {
        await FakeAsync(Announcement(), context => context.Response.Body.WriteAsync(new byte[5000]).AsTask());
        await _site.SeesAllAsync(2);

        foreach (SyntheticObject item in ItsOwn(6))
        {
            Assert.Equal(item.Bytes, (await _site[0].GetAsync(item.Path)).Body);
        }

        Assert.Equal(3, _fake!.Requests);
        Assert.Contains("node-skipped", Findings());
        using var admin = new AdminClient(_site[0].Services.GetRequiredService<BreakwaterSettings>());
        ClusterView view = await admin.GetAsync<ClusterView>("cluster", default);
        Assert.Equal((2, 3L, true), (view.Members, view.Strikes, view.IsMember));
        Assert.Equal([("n0", "alive", 0.5, null), ("n1", "skipped", 0.5, "it fails real requests")],
            view.Nodes.OrderBy(node => node.Id, StringComparer.Ordinal)
                .Select(node => (node.Id, node.State, node.OwnedShare, node.Problem)));
        Assert.All(view.Nodes, node => Assert.InRange(node.AnsweredSecondsAgo!.Value, 0, Waiting.Hang.TotalSeconds));
    }

    [Fact]
    public async Task Owner_NeverAnswers_ThreeRequestsWaitForItAndNoMore()
    {
        await FakeAsync(Announcement(), _ => _over.Task);
        await _site.SeesAllAsync(2);

        foreach (SyntheticObject item in ItsOwn(5))
        {
            Assert.Equal(item.Bytes, (await _site[0].GetAsync(item.Path)).Body);
        }

        Assert.Equal(3, _fake!.Requests);
    }

    [Fact]
    public async Task Owner_CutsItsBodies_TheRestComesFromAStratum1()
    {
        SyntheticObject[] items = ItsOwn(5);
        await FakeAsync(Announcement(), async context =>
        {
            SyntheticObject item = items.Single(i => i.Path == context.Request.Path);
            context.Response.ContentLength = item.Bytes.Length;
            await context.Response.Body.WriteAsync(item.Bytes.AsMemory(0, 3000));
            context.Abort();
        });
        await _site.SeesAllAsync(2);

        foreach (SyntheticObject item in items)
        {
            Assert.Equal(item.Bytes, (await _site[0].GetAsync(item.Path)).Body);
        }
    }

    [Fact]
    public async Task Node_OfAnotherSite_IsInNoRing()
    {
        await FakeAsync(Announcement() with { Site = "elsewhere" }, _ => throw new InvalidOperationException("it was asked"));
        await Waiting.UntilAsync(() => Findings().Contains("node-foreign"));

        Assert.Single(_site.Nodes(0).View.Ring.Members);
    }

    [Fact]
    public async Task Node_WithThisNodesId_IsLeftOutAndFound()
    {
        await FakeAsync(Announcement() with { Id = "n0" }, _ => throw new InvalidOperationException("it was asked"));
        await Waiting.UntilAsync(() => Findings().Contains("node-duplicate"));

        Assert.Single(_site.Nodes(0).View.Ring.Members);
    }

    [Fact]
    public async Task Node_OfALaterProtocol_IsInNoRing()
    {
        await FakeAsync(Announcement() with { Protocol = 99 }, _ => throw new InvalidOperationException("it was asked"));
        await Waiting.UntilAsync(() => Findings().Contains("node-foreign"));

        Assert.Single(_site.Nodes(0).View.Ring.Members);
    }

    /// <summary>
    /// What another node offers is remembered here: one that makes up names is asked for repositories of this site alone, and few of them.
    /// </summary>
    [Fact]
    public async Task Node_ThatOffersBootsWithoutEnd_IsAskedForNoMoreThanANodeKeeps()
    {
        string[] names = [.. Enumerable.Range(0, 1000).Select(i => $"r{i:000}.example.org")];
        string offer = JsonSerializer.Serialize(
            new
            {
                repositories = new Dictionary<string, ulong> { ["../x.example.org"] = 9, ["r000.example.net"] = 9 },
                boots = ((string[])["../../x.example.org", "a b.example.org", "", "r.example.net", .. names]).ToDictionary(n => n, _ => 7L),
            });
        ConcurrentQueue<string> asked = [];
        await FakeAsync(Announcement() with { State = "s" }, async context =>
        {
            string path = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
            if (path != "/node/state")
            {
                asked.Enqueue(path);
            }

            await context.Response.WriteAsync(path == "/node/state" ? offer : "[{\"id\":7,\"reads\":[]}]");
        });
        await _site.SeesAllAsync(2);

        string[] few = [.. names.Take(64).Select(name => "/node/boots/" + name)];
        int own = names.Take(64).Count(name => _site.Nodes(0).Before(name).Count == 0);
        Assert.NotEqual(0, own);
        await Waiting.UntilAsync(() => asked.Count >= own);
        Assert.All(asked, path => Assert.Contains(path, few));
    }

    private static NodeAnnouncement Announcement() => new("n1", "default", NodeAnnouncement.CurrentProtocol, 1, "fake", "");

    private async Task FakeAsync(NodeAnnouncement announcement, RequestDelegate serve) =>
        _fake = await FakeNode.StartAsync(_site.NodePort(1), _site.Authority, announcement, serve);

    /// <summary>Objects that node 1 owns as soon as it is there.</summary>
    private SyntheticObject[] ItsOwn(int count)
    {
        var ring = new Ring([new("n0"), new("n1")]);
        return [.. Enumerable.Range(0, int.MaxValue).Select(i => new SyntheticObject(5000, i))
            .Where(item => ring.Owner(Ring.KeyOf(item.Key))!.Id == "n1").Take(count).Select(item => item.On(_upstream))];
    }

    private IEnumerable<string> Findings() => _site[0].Services.GetRequiredService<Health>().Check().Findings.Select(f => f.Name);
}

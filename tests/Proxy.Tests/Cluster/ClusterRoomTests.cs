using System.Net.Http.Json;
using System.Text.Json;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Tests.Admin;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Cluster;

/// <summary>The nodes of a site as the admin port gives them.</summary>
public sealed class ClusterRoomTests : IAsyncLifetime
{
    private readonly TestSite _site = new();
    private AdminUnderTest _admin = null!;

    public async Task InitializeAsync() => _admin = await AdminUnderTest.StartAsync(
        new ClusterRoom(_site.Self, _site.Nodes, _site.Strikes, _site.Counters, _site.Time));

    public async Task DisposeAsync()
    {
        await _admin.DisposeAsync();
        _site.Dispose();
    }

    /// <summary>Whoever is in the ring has a share by its weight; a node that is skipped keeps its own.</summary>
    [Fact]
    public async Task Nodes_ByTheirWeights_OwnTheirShares()
    {
        KnownNode heavy = _site.Node("b") with { Announcement = _site.Announcement("b") with { Weight = 3 } };
        _site.See(_site.Node("self"), heavy, _site.Node("c", NodeStanding.Dead, "it is gone"), _site.Node("d"));
        _site.Strikes.Refused("d");
        _site.Time.Advance(TimeSpan.FromSeconds(2)); // once: nothing waits for it

        JsonElement view = await _admin.Http.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/cluster", UriKind.Relative)).InTimeAsync();

        Assert.Equal(("self", 3, true), (view.GetProperty("id").GetString(), view.GetProperty("members").GetInt32(),
            view.GetProperty("isMember").GetBoolean()));
        Assert.Equal(
            [
                ("self", "alive", true, 0.2, null), ("b", "alive", false, 0.6, null), ("c", "dead", false, 0.0, "it is gone"),
                ("d", "skipped", false, 0.2, "it fails real requests"),
            ],
            view.GetProperty("nodes").EnumerateArray().Select(node => (
                node.GetProperty("id").GetString(), node.GetProperty("state").GetString(), node.GetProperty("isSelf").GetBoolean(),
                node.GetProperty("ownedShare").GetDouble(), node.TryGetProperty("problem", out JsonElement why) ? why.GetString() : null)));
        Assert.All(view.GetProperty("nodes").EnumerateArray(), node => Assert.Equal(2, node.GetProperty("answeredSecondsAgo").GetDouble()));
    }
}

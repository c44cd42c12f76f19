using System.Diagnostics.Metrics;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Tests.Cluster;

/// <summary>This node of a site, called <c>self</c>, and what it is told of the others. Nobody is asked.</summary>
internal sealed class TestSite : IDisposable
{
    private readonly ServiceProvider _metrics = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler());

    public TestSite(bool isOffline = false)
    {
        Proxy = new ProxyOptions { Offline = isOffline };
        State = new ClusterState(ClusterCheck.ReservedCluster,
            new ClusterModel(new ClusterConfig { ClusterId = ClusterCheck.ReservedCluster }, _client));
        Self = new NodeSelf(Options, Drain);
        Strikes = new NodeStrikes(Time);
        Counters = new NodeCounters(_metrics.GetRequiredService<IMeterFactory>());
        var certificates = new NodeCertificates(Options, Time, NullLogger<NodeCertificates>.Instance);
        Services = new ServiceCollection().AddSingleton(Options).AddSingleton(Proxy).AddSingleton(Self).AddSingleton(Strikes)
            .AddSingleton(Counters).AddSingleton(certificates).AddSingleton<TimeProvider>(Time).BuildServiceProvider();
        Nodes = YarpNodes.Make(Services);
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));

    public ClusterOptions Options { get; } = new() { Name = "self", Site = "here", Nodes = ["https://self.example.org:3129"] };

    public ProxyOptions Proxy { get; }

    public Drain Drain { get; } = new();

    public ClusterState State { get; }

    public NodeSelf Self { get; }

    public NodeStrikes Strikes { get; }

    public NodeCounters Counters { get; }

    public YarpNodes Nodes { get; }

    public ServiceProvider Services { get; }

    /// <summary>The ring of this node and others of the same weight.</summary>
    public static Ring RingOf(params string[] ids) => new(ids.Select(id => new RingMember(id)));

    /// <summary>A name that a member owns, and which second.</summary>
    public static string NameOwnedBy(Ring ring, string owner, string? second = null) =>
        Enumerable.Range(0, int.MaxValue).Select(i => $"r{i}.example.org").First(name =>
            ring.FirstTwo(Ring.KeyOf(name)) is var two && two.Owner!.Id == owner && (second is null || two.Second?.Id == second));

    public NodeAnnouncement Announcement(string id) => new(id, "here", NodeAnnouncement.CurrentProtocol, 1, $"process-of-{id}", "");

    public DestinationState Destination(string id) => new(
        $"https://{id}.example.org:3129",
        new DestinationModel(new DestinationConfig { Address = $"https://{id}.example.org:3129" }));

    public KnownNode Node(string id, NodeStanding standing = NodeStanding.Alive, string? problem = null) => new(
        $"{id}.example.org:3129", standing, IsSelf: id == "self", id == "self" ? Self.Announcement : Announcement(id), problem,
        Time.GetTimestamp(), new Stratum1(State, Destination(id), _client));

    /// <summary>A round of probes has found these.</summary>
    public void See(params KnownNode[] known) => Nodes.Replace(known);

    public void Dispose()
    {
        Services.Dispose();
        _metrics.Dispose();
        _client.Dispose();
        Drain.Dispose();
    }
}

using System.Collections.Concurrent;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Tests.TestSupport;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Tests.Cluster;

/// <summary>Rounds of probes out of turn that ask nobody, and are counted.</summary>
internal sealed class CountedRounds : IActiveHealthCheckMonitor
{
    private readonly ClusterState? _nodes;
    private readonly ConcurrentQueue<DateTimeOffset> _begun = new();
    private readonly TimeProvider _time;

    /// <summary>Makes them.</summary>
    /// <param name="site">Whose.</param>
    /// <param name="hasNodes">Does YARP know the cluster of nodes yet?</param>
    public CountedRounds(TestSite site, bool hasNodes = true)
    {
        _nodes = hasNodes ? site.State : null;
        _time = site.Time;
        Rounds = new NodeRounds(() => this, new OneCluster(_nodes), site.Self, site.Nodes, site.Options, site.Time);
    }

    /// <summary>What is counted.</summary>
    public NodeRounds Rounds { get; }

    /// <summary>When each was begun.</summary>
    public IReadOnlyList<DateTimeOffset> Begun => [.. _begun];

    /// <summary>A round that was begun lasts until this ends.</summary>
    public Task Lasts { get; set; } = Task.CompletedTask;

    public bool InitialProbeCompleted => true;

    public Task CheckHealthAsync(IEnumerable<ClusterState> clusters)
    {
        Assert.Same(_nodes, Assert.Single(clusters));
        _begun.Enqueue(_time.GetUtcNow());
        return Lasts;
    }
}

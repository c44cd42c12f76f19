using Breakwater.Proxy.Settings;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// Rounds of probes out of turn: this node has come or is about to go, which the others learn by being asked; or another one has said so.
/// One at a time, and with a pause after each, whatever the others say. Thread-safe.
/// </summary>
internal sealed class NodeRounds
{
    private static readonly TimeSpan s_longestGap = TimeSpan.FromSeconds(0.5);

    private readonly Func<IActiveHealthCheckMonitor> _monitor;
    private readonly IProxyStateLookup _clusters;
    private readonly YarpNodes _nodes;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private bool _isWanted;     // guarded by _gate
    private bool _isUnderWay;   // guarded by _gate

    public NodeRounds(Func<IActiveHealthCheckMonitor> monitor, IProxyStateLookup clusters, NodeSelf self, YarpNodes nodes,
        ClusterOptions options, TimeProvider time)
    {
        (_monitor, _clusters, _nodes, _time) = (monitor, clusters, nodes, time);
        Gap = options.ProbeInterval / 4 < s_longestGap ? options.ProbeInterval / 4 : s_longestGap;
        self.Watch(Begin);
    }

    /// <summary>The pause: half a second, or less where nodes are asked more often than that anyway.</summary>
    public TimeSpan Gap { get; }

    /// <summary>Is one under way, or was one a moment ago?</summary>
    public bool IsUnderWay
    {
        get
        {
            lock (_gate)
            {
                return _isUnderWay;
            }
        }
    }

    /// <summary>What another node's probe says (<see cref="NodeGreeting"/>): if it is news, a round begins.</summary>
    public void Hear(string greeting)
    {
        if (NodeGreeting.IsNews(greeting, _nodes.View))
        {
            Begin();
        }
    }

    /// <summary>Begins one. While one is under way, another one follows it.</summary>
    public void Begin()
    {
        lock (_gate)
        {
            _isWanted = true;
            if (_isUnderWay)
            {
                return;
            }

            _isUnderWay = true;
        }

        _ = Task.Run(RunAsync);
    }

    private async Task RunAsync()
    {
        while (TryTake())
        {
            if (_clusters.TryGetCluster(ClusterCheck.ReservedCluster, out ClusterState? nodes))
            {
                await _monitor().CheckHealthAsync([nodes]);
            }

            await Task.Delay(Gap, _time);
        }
    }

    private bool TryTake()
    {
        lock (_gate)
        {
            _isUnderWay = _isWanted;
            _isWanted = false;
            return _isUnderWay;
        }
    }
}

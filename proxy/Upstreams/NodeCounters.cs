using System.Diagnostics.Metrics;
using Breakwater.Proxy.Observability;

namespace Breakwater.Proxy.Upstreams;

/// <summary>What is counted of the site's nodes. A single node counts nothing.</summary>
internal sealed class NodeCounters
{
    private readonly Counter<long> _requests;
    private readonly Counter<long> _bytes;
    private readonly Counter<long> _strikes;
    private readonly Counter<long> _served;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _hedges;
    private Func<IEnumerable<(string State, int Count)>>? _nodes;
    private long _borrowed;
    private long _borrowedBytes;
    private long _moved;
    private long _hedgesTotal;
    private long _servedTotal;
    private long _refusedTotal;

    public NodeCounters(IMeterFactory meters)
    {
        Meter meter = meters.Create(ProxyCounters.MeterName);
        _requests = meter.CreateCounter<long>("breakwater.cluster.borrowed", "{object}",
            "Objects that came from another node, by node and reason: it owns them, or has held what this node owns by now (moved).");
        _bytes = meter.CreateCounter<long>("breakwater.cluster.received", "By", "Body bytes received from other nodes, by node.");
        _strikes = meter.CreateCounter<long>("breakwater.cluster.strikes", "{failure}",
            "Answers of other nodes that were late, broken or wrong, by node and kind.");
        _served = meter.CreateCounter<long>("breakwater.cluster.served", "{request}",
            "Requests of other nodes, by node and result.");
        _refused = meter.CreateCounter<long>("breakwater.cluster.refused", "{connection}",
            "Connections and requests that the node port refused, by reason.");
        _hedges = meter.CreateCounter<long>("breakwater.cluster.hedges", "{request}",
            "Second nodes that were asked beside a silent owner.");
        meter.CreateObservableGauge("breakwater.cluster.nodes",
            () => (_nodes?.Invoke() ?? []).Select(n => new Measurement<int>(n.Count, new KeyValuePair<string, object?>("state", n.State))),
            "{node}", "Listed nodes as this one sees them, by state.");
    }

    /// <summary>Totals since the start.</summary>
    public (long Borrowed, long BorrowedBytes, long Moved, long Hedges, long Served, long Refused) Totals =>
        (Volatile.Read(ref _borrowed), Volatile.Read(ref _borrowedBytes), Volatile.Read(ref _moved), Volatile.Read(ref _hedgesTotal),
        Volatile.Read(ref _servedTotal), Volatile.Read(ref _refusedTotal));

    /// <summary>Who counts the nodes when somebody looks.</summary>
    public void Watch(Func<IEnumerable<(string State, int Count)>> nodes) => _nodes = nodes;

    public void Borrowed(string node, long bytes, bool isMoved)
    {
        Interlocked.Increment(ref _borrowed);
        Interlocked.Add(ref _borrowedBytes, bytes);
        Interlocked.Add(ref _moved, isMoved ? 1 : 0);
        _requests.Add(1, new("node", node), new("reason", isMoved ? "moved" : "owner"));
        _bytes.Add(bytes, new KeyValuePair<string, object?>("node", node));
    }

    public void Strike(string node, string kind) => _strikes.Add(1, new("node", node), new("kind", kind));

    public void Hedge()
    {
        Interlocked.Increment(ref _hedgesTotal);
        _hedges.Add(1);
    }

    public void Served(string node, string result)
    {
        Interlocked.Increment(ref _servedTotal);
        _served.Add(1, new("node", node), new("result", result));
    }

    public void Refused(string reason)
    {
        Interlocked.Increment(ref _refusedTotal);
        _refused.Add(1, new KeyValuePair<string, object?>("reason", reason));
    }
}

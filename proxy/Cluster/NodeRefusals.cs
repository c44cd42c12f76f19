using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// What the node port refused: counted, said in the log once a minute at most, and found by health for ten minutes. Thread-safe.
/// </summary>
internal sealed partial class NodeRefusals(NodeCounters counters, TimeProvider time, ILogger<NodeRefusals> log)
{
    private static readonly TimeSpan s_sayAgainAfter = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_foundFor = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private string? _last;          // guarded by _gate
    private long _lastAt;           // guarded by _gate
    private long _saidAt;           // guarded by _gate

    /// <summary>One more that is nobody's fault, as far as can be told.</summary>
    public void Count(string reason) => counters.Refused(reason);

    /// <summary>One more.</summary>
    /// <param name="reason">A word for metrics.</param>
    /// <param name="from">The address.</param>
    /// <param name="what">What was wrong.</param>
    public void Note(string reason, string from, string what)
    {
        counters.Refused(reason);
        bool isToBeSaid;
        lock (_gate)
        {
            _last = $"{from}: {what}";
            _lastAt = time.GetTimestamp();
            isToBeSaid = _saidAt == 0 || time.GetElapsedTime(_saidAt) >= s_sayAgainAfter;
            _saidAt = isToBeSaid ? _lastAt : _saidAt;
        }

        if (isToBeSaid)
        {
            LogRefused(log, from, what);
        }
    }

    /// <summary>The last one, while it is recent.</summary>
    public HealthFinding? Find()
    {
        lock (_gate)
        {
            return _last is null || time.GetElapsedTime(_lastAt) >= s_foundFor ? null
                : new HealthFinding("node-port-refused", HealthLevel.Degraded,
                    $"The node port refused {_last}. If it is a node of this site, look at its certificate, its Cluster:Site and "
                    + "Cluster:AllowedNodes; if it is not, somebody tries.");
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The node port refused {From}: {What}")]
    private static partial void LogRefused(ILogger log, string from, string what);
}

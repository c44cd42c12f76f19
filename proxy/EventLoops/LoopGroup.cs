using System.Net;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Threading;

namespace Breakwater.Proxy.EventLoops;

/// <summary>The event loops of the process, one for each processor, and the connections that they have in all. Thread-safe.</summary>
internal sealed class LoopGroup : IDisposable
{
    private const int MostLoops = 16;

    /// <summary>Time between two warnings of the same, ms.</summary>
    private const long WarningMs = 60 * 1000;

    private readonly ClientLimits _limits;
    private readonly ConnectionRules _rules;
    private readonly TimeProvider _time;
    private readonly ILogger<LoopGroup> _log;
    private readonly EventLoop[] _loops;
    private int _connections;
    private int _next;
    private long _lastWarning = -WarningMs;

    public LoopGroup(IFirstResponder responder, Balancers balancers, ClientLimits limits, ConnectionRules rules, ServingLoad load,
        TimeProvider time, ILogger<LoopGroup> log)
    {
        Responder = responder;
        Balancers = balancers;
        _limits = limits;
        _rules = rules;
        _time = time;
        _log = log;
        HeadTimeoutMs = (long)rules.HeadTimeout.TotalMilliseconds;
        ClientTimeoutMs = (long)rules.ClientTimeout.TotalMilliseconds;
        _loops = [.. Enumerable.Range(0, Math.Min(Environment.ProcessorCount, MostLoops)).Select(i =>
            new EventLoop($"event loop {i}", load, _log))];
    }

    /// <summary>Sees every plain request first.</summary>
    public IFirstResponder Responder { get; }

    /// <summary>Who says whose a connection is.</summary>
    public Balancers Balancers { get; }

    /// <summary>Ms: the head of a request must be whole.</summary>
    public long HeadTimeoutMs { get; }

    /// <summary>Ms: a client that takes next to nothing of its answer for so long is stuck.</summary>
    public long ClientTimeoutMs { get; }

    /// <summary>Connections of clients that are open.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary><see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long Timestamp => _time.GetTimestamp();

    /// <summary>May one more connection of this client be open? If so <see cref="Left"/> must follow.</summary>
    /// <param name="client">Null: it is yet to be said; <see cref="TryName"/> follows.</param>
    public bool TryEnter(IPAddress? client)
    {
        if (Interlocked.Increment(ref _connections) <= _rules.MaxConnections && (client is null || TryName(client)))
        {
            return true;
        }

        Interlocked.Decrement(ref _connections);
        return false;
    }

    /// <summary>A connection's client is known now. May it have one more?</summary>
    public bool TryName(IPAddress client) => _limits.TryEnter(client);

    /// <summary>A connection ended.</summary>
    /// <param name="client">Null: it was never said.</param>
    public void Left(IPAddress? client)
    {
        if (client is not null)
        {
            _limits.Leave(client);
        }

        Interlocked.Decrement(ref _connections);
    }

    /// <summary>The loops take turns.</summary>
    public EventLoop NextLoop() => _loops[(uint)Interlocked.Increment(ref _next) % (uint)_loops.Length];

    /// <summary>Has all sources look at their timers now.</summary>
    public void SweepAll()
    {
        foreach (EventLoop loop in _loops)
        {
            loop.SweepAll();
        }
    }

    /// <summary>Says that no descriptor is left, once a minute at most.</summary>
    public void OutOfDescriptors()
    {
        long now = Environment.TickCount64;
        if (now - Interlocked.Read(ref _lastWarning) >= WarningMs)
        {
            Interlocked.Exchange(ref _lastWarning, now);
            _log.LogWarning(
                "No client can be accepted: the process has no descriptor left. Raise its limit of open files (LimitNOFILE, ulimit -n).");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (EventLoop loop in _loops)
        {
            loop.Dispose();
        }
    }
}

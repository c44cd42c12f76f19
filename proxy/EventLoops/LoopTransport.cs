using System.Net;
using System.Net.Sockets;
using System.Text;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Settings;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Breakwater.Proxy.EventLoops;

/// <summary>
/// Kestrel's transport: connections begin in event loops that answer hits, one for each processor, and come to Kestrel with their first
/// request that is something else. Thread-safe. Why: docs/develop/adr, "Event loops for hits".
/// </summary>
internal sealed class LoopTransport : IConnectionListenerFactory, IConnectionListenerFactorySelector, IDisposable
{
    private const int MostLoops = 16;
    private const int Backlog = 4096;

    private readonly HitResponder _responder;
    private readonly ClientAccess _clients;
    private readonly ClientLimits _limits;
    private readonly Drain _drain;
    private readonly ILogger<LoopTransport> _log;
    private readonly int _maxConnections;
    private readonly string _congestionControl;
    private readonly EventLoop[] _loops;
    private int _connections;
    private int _next;
    private long _lastWarning = long.MinValue;

    public LoopTransport(HitResponder responder, ClientAccess clients, ClientLimits limits, Drain drain, ConnectionBudget budget,
        ProxyOptions options, ILogger<LoopTransport> log)
    {
        _responder = responder;
        _clients = clients;
        _limits = limits;
        _drain = drain;
        _maxConnections = budget.Connections;
        _congestionControl = options.CongestionControl;
        HeadTimeoutMs = (long)options.RequestHeadTimeout.TotalMilliseconds;
        _log = log;
        _loops = [.. Enumerable.Range(0, Math.Min(Environment.ProcessorCount, MostLoops))
            .Select(i => new EventLoop($"hit loop {i}", _log))];
    }

    /// <summary>Ms: the head of a request must be whole (<c>Proxy:RequestHeadTimeout</c>).</summary>
    public long HeadTimeoutMs { get; }

    /// <summary>Connections of clients that are open.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <inheritdoc/>
    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint or FileHandleEndPoint;

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        Socket socket;
        try
        {
            socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(e.Message, e);
        }

        socket.NoDelay = true; // accepted sockets have it from here
        SetCongestionControl(socket);
        socket.Blocking = false;
        socket.Listen(Backlog);
        EventLoop loop = NextLoop();
        var listener = new LoopListener(this, loop, socket) { Descriptor = (int)socket.SafeHandle.DangerousGetHandle() };
        if (endpoint is FileHandleEndPoint)
        {
            // A service manager keeps the socket: who connects from now on waits in the kernel for the next process.
            _drain.Begun.UnsafeRegister(static state => ((LoopListener)state!).StopAccepting(), listener);
        }

        loop.Post(listener);
        return ValueTask.FromResult<IConnectionListener>(listener);
    }

    /// <summary>May one more connection of this client be open? If so <see cref="Left"/> must follow.</summary>
    public bool TryEnter(IPAddress client)
    {
        if (Interlocked.Increment(ref _connections) <= _maxConnections && _limits.TryEnter(client))
        {
            return true;
        }

        Interlocked.Decrement(ref _connections);
        return false;
    }

    /// <summary>A connection ended.</summary>
    public void Left(IPAddress client)
    {
        _limits.Leave(client);
        Interlocked.Decrement(ref _connections);
    }

    /// <summary>Whom the settings refuse is told so by Kestrel.</summary>
    public bool IsForLoops(IPAddress client) => _clients.Allows(client);

    /// <summary>The loops take turns.</summary>
    public EventLoop NextLoop() => _loops[(uint)Interlocked.Increment(ref _next) % (uint)_loops.Length];

    /// <summary>A connection that was accepted.</summary>
    public LoopConnection NewConnection(EventLoop loop, LoopListener listener, IPEndPoint client, int descriptor) =>
        new(loop, listener, _responder, client) { Descriptor = descriptor };

    /// <summary>Has all sources look at their timers now.</summary>
    public void SweepAll()
    {
        foreach (EventLoop loop in _loops)
        {
            loop.SweepAll();
        }
    }

    /// <summary>Says so, once a minute at most.</summary>
    public void OutOfDescriptors()
    {
        long now = Environment.TickCount64;
        if (now - Interlocked.Read(ref _lastWarning) > 60_000)
        {
            Interlocked.Exchange(ref _lastWarning, now);
            _log.LogWarning(
                "No client can be accepted: the process has no descriptor left. Raise its limit of open files (LimitNOFILE, ulimit -n).");
        }
    }

    /// <summary>Accepted sockets have the listener's (tcp(7), TCP_CONGESTION).</summary>
    private void SetCongestionControl(Socket listener)
    {
        const int Tcp = 6;
        const int Congestion = 13;
        if (_congestionControl.Length == 0)
        {
            return;
        }

        try
        {
            listener.SetRawSocketOption(Tcp, Congestion, Encoding.ASCII.GetBytes(_congestionControl));
        }
        catch (SocketException e)
        {
            _log.LogWarning(
                "Clients' connections have the system's TCP congestion control, not {Name}: {Reason}. Allow it (modprobe tcp_{Name}; "
                + "sysctl net.ipv4.tcp_allowed_congestion_control), or leave Proxy:CongestionControl empty.",
                _congestionControl,
                e.Message,
                _congestionControl);
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

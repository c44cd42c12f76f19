using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Breakwater.Proxy.Listening;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Breakwater.Proxy.EventLoops.KestrelSide;

/// <summary>
/// Kestrel's transport: connections begin in the event loops and come to Kestrel with their first request that is not answered there.
/// Thread-safe. Why: docs/develop/adr/0015-event-loops-for-hits.md.
/// </summary>
internal sealed class LoopTransport(LoopGroup loops, ConnectionRules rules, TlsEndPoints tls, ILogger<LoopTransport> log)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private const int Backlog = 4096;

    private readonly ConcurrentBag<BorrowedListener> _handedOver = [];   // those of the settings

    /// <summary>Connections of clients that are open.</summary>
    public int Connections => loops.Connections;

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
        var listener = new BorrowedListener(loops, socket, tls.Contains(endpoint));
        if (endpoint is FileHandleEndPoint)
        {
            _handedOver.Add(listener);
        }

        listener.Start();
        return ValueTask.FromResult<IConnectionListener>(listener);
    }

    /// <summary>
    /// Accepts no more on sockets that a service manager keeps: who connects from now on waits in the kernel for the next process. Complete
    /// when everybody who was accepted has sent a request or has gone, so that nobody is closed unanswered.
    /// </summary>
    public Task StopAcceptingAsync() => Task.WhenAll(_handedOver.Select(listener => listener.StopAcceptingAsync()));

    /// <summary>Accepted sockets have the listener's (tcp(7), TCP_CONGESTION).</summary>
    private void SetCongestionControl(Socket listener)
    {
        const int Tcp = 6;
        const int Congestion = 13;
        if (rules.CongestionControl.Length == 0)
        {
            return;
        }

        try
        {
            listener.SetRawSocketOption(Tcp, Congestion, Encoding.ASCII.GetBytes(rules.CongestionControl));
        }
        catch (SocketException e)
        {
            log.LogWarning(
                "Clients' connections have the system's TCP congestion control, not {Name}: {Reason}. Allow it (modprobe tcp_{Name}; "
                + "sysctl net.ipv4.tcp_allowed_congestion_control), or leave Proxy:CongestionControl empty.",
                rules.CongestionControl,
                e.Message,
                rules.CongestionControl);
        }
    }
}

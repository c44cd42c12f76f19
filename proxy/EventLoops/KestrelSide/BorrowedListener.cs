using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace Breakwater.Proxy.EventLoops.KestrelSide;

/// <summary>A loop's listener as Kestrel sees it: Kestrel accepts the connections that the loops lend for the first time.</summary>
internal sealed class BorrowedListener : IConnectionListener, IBorrowers
{
    private readonly Channel<OrdinaryConnection> _lent =
        Channel.CreateUnbounded<OrdinaryConnection>(new UnboundedChannelOptions { SingleReader = true });

    private readonly EventLoop _loop;
    private readonly LoopListener _listener;

    /// <summary>A listener for a socket that listens already.</summary>
    /// <param name="loops">The loops.</param>
    /// <param name="socket">The socket.</param>
    /// <param name="isKestrels">All of its connections are Kestrel's from the beginning: what they carry is not HTTP, but TLS.</param>
    public BorrowedListener(LoopGroup loops, Socket socket, bool isKestrels)
    {
        _loop = loops.NextLoop();
        _listener = new LoopListener(loops, _loop, socket, this, isKestrels) { Descriptor = (int)socket.SafeHandle.DangerousGetHandle() };
        EndPoint = socket.LocalEndPoint!;
    }

    /// <inheritdoc/>
    public EndPoint EndPoint { get; }

    /// <summary>Begins to accept.</summary>
    public void Start() => _loop.Post(_listener);

    /// <summary>Stops accepting. Complete when each connection has sent a request or has ended.</summary>
    public Task StopAcceptingAsync()
    {
        _listener.StopAccepting();
        return _listener.HaveAllAsked;
    }

    /// <inheritdoc/>
    public IBorrower Open(int descriptor, string id, IPEndPoint client, Action hasNews) =>
        new OrdinaryConnection(descriptor, id, client, hasNews);

    /// <inheritdoc/>
    public void Offer(IBorrower borrower)
    {
        var connection = (OrdinaryConnection)borrower;
        if (!_lent.Writer.TryWrite(connection))
        {
            connection.Abort(new ConnectionAbortedException("The proxy has stopped."));
            _ = connection.DisposeAsync().AsTask();
        }
    }

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        return await _lent.Reader.WaitToReadAsync(cancellationToken) && _lent.Reader.TryRead(out OrdinaryConnection? lent) ? lent : null;
    }

    /// <summary>Stops accepting, and lets answers under way end as long as the token allows.</summary>
    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        await _listener.CloseAsync(cancellationToken);
        _lent.Writer.TryComplete();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await UnbindAsync(new CancellationToken(true));
}

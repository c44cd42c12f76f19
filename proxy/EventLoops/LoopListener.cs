using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Breakwater.Proxy.Listening;
using Microsoft.AspNetCore.Connections;

namespace Breakwater.Proxy.EventLoops;

/// <summary>
/// A listening socket: its connections are the loops' first, and Kestrel accepts those of them that ask for something else than a hit. The
/// methods of <see cref="LoopSource"/>, and <see cref="Lent"/>, <see cref="TryTakeBack"/> and <see cref="Closed"/>, are the loops'; the
/// rest is Kestrel's.
/// </summary>
internal sealed class LoopListener(LoopTransport transport, EventLoop loop, Socket socket) : LoopSource, IConnectionListener
{
    /// <summary>Accepted in a row before others have their turn.</summary>
    private const int MostAtOnce = 128;

    private const int Again = 11;
    private const int TooManyOpen = 24;
    private const int TooManyOpenInAll = 23;
    private const int NoMemory = 12;
    private const int NoBuffers = 105;

    private static readonly TimeSpan s_breath = TimeSpan.FromMilliseconds(200);

    private readonly Channel<OrdinaryConnection> _lent =
        Channel.CreateUnbounded<OrdinaryConnection>(new UnboundedChannelOptions { SingleReader = true });
    private readonly TaskCompletionSource _isEmpty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _held = 1;               // its connections that are not Kestrel's at the moment, and one as long as it accepts
    private bool _isListening;
    private bool _hasStopped;
    private int _isStopping;

    /// <inheritdoc/>
    public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

    /// <summary>Ms: a head must be whole.</summary>
    public long HeadTimeoutMs => transport.HeadTimeoutMs;

    /// <summary>Answers under way end, nothing new begins.</summary>
    public bool IsClosing { get; private set; }

    /// <summary>The time for that is over too.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Accepts no more from now on; connections stay. Any thread.</summary>
    public void StopAccepting()
    {
        if (Interlocked.Exchange(ref _isStopping, 1) == 0)
        {
            loop.Post(this);
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
        StopAccepting();
        IsClosing = true;
        transport.SweepAll();
        try
        {
            await _isEmpty.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            IsOver = true;
            transport.SweepAll();
            await _isEmpty.Task;
        }

        _lent.Writer.TryComplete();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await UnbindAsync(new CancellationToken(true));

    /// <inheritdoc/>
    public override void Ready(Readiness readiness)
    {
        for (int i = 0; i < MostAtOnce; i++)
        {
            int accepted = Epoll.Accept(Descriptor, out IPEndPoint? client);
            if (accepted >= 0)
            {
                Welcome(accepted, client!);
            }
            else if (accepted == -Again)
            {
                return;
            }
            else if (accepted is -TooManyOpen or -TooManyOpenInAll or -NoMemory or -NoBuffers)
            {
                // The kernel keeps who comes in line, and would tell of them without end.
                transport.OutOfDescriptors();
                StopListening();
                _ = ListenAgainAsync();
                return;
            }
        }
    }

    /// <inheritdoc/>
    public override void Posted()
    {
        if (Volatile.Read(ref _isStopping) == 0)
        {
            loop.Add(this, Readiness.Input);
            _isListening = true;
        }
        else if (!_hasStopped)
        {
            _hasStopped = true;
            StopListening();
            socket.Dispose();
            Let();
        }
    }

    /// <inheritdoc/>
    public override void Sweep(long now)
    {
    }

    /// <inheritdoc/>
    public override void Fail()
    {
        StopListening();
        _ = ListenAgainAsync();
    }

    /// <summary>Whom the settings refuse is told so by Kestrel.</summary>
    public bool IsForLoops(IPAddress client) => transport.IsForLoops(client);

    /// <summary>A connection is Kestrel's for now: one that is new to it, or (null) one that it knows, or that ends.</summary>
    public void Lent(OrdinaryConnection? connection)
    {
        if (connection is not null && !_lent.Writer.TryWrite(connection))
        {
            connection.Abort(new ConnectionAbortedException("The proxy has stopped."));
            _ = connection.DisposeAsync().AsTask();
        }

        Let();
    }

    /// <summary>Kestrel has done with its request. False: the proxy is stopping, Kestrel is to end it.</summary>
    public bool TryTakeBack()
    {
        if (IsClosing)
        {
            return false;
        }

        Interlocked.Increment(ref _held);
        return true;
    }

    /// <summary>A connection was closed.</summary>
    public void Closed(IPAddress client) => transport.Left(client);

    private void Welcome(int descriptor, IPEndPoint client)
    {
        if (!transport.TryEnter(client.Address))
        {
            Epoll.Close(descriptor);
            return;
        }

        Interlocked.Increment(ref _held);
        EventLoop next = transport.NextLoop();
        LoopConnection connection = transport.NewConnection(next, this, client, descriptor);
        if (ReferenceEquals(next, loop))
        {
            connection.Posted();
        }
        else
        {
            next.Post(connection);
        }
    }

    private void StopListening()
    {
        if (_isListening)
        {
            loop.Remove(this);
            _isListening = false;
        }
    }

    private async Task ListenAgainAsync()
    {
        await Task.Delay(s_breath);
        loop.Post(this);
    }

    private void Let()
    {
        if (Interlocked.Decrement(ref _held) == 0)
        {
            _isEmpty.TrySetResult();
        }
    }
}

using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Listening;

namespace Breakwater.Proxy.EventLoops;

/// <summary>
/// A listening socket in a loop: its connections are the loops' first, and Kestrel borrows those of them that ask for something else than
/// what the first responder answers.
/// </summary>
internal sealed class LoopListener(LoopGroup loops, EventLoop loop, Socket socket, IBorrowers borrowers, bool isKestrels)
    : LoopSource
{
    /// <summary>Accepted in a row before others have their turn.</summary>
    private const int MostAtOnce = 128;

    private const int Again = 11;
    private const int TooManyOpen = 24;
    private const int TooManyOpenInAll = 23;
    private const int NoMemory = 12;
    private const int NoBuffers = 105;

    private static readonly TimeSpan s_breath = TimeSpan.FromMilliseconds(200);

    private readonly TaskCompletionSource _isEmpty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _haveAllAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _held = 1;               // its connections that are not Kestrel's at the moment, and one as long as it accepts
    private int _newcomers = 1;          // its connections that have yet to ask for something, and one as long as it accepts
    private bool _isListening;
    private bool _hasStopped;
    private int _isStopping;

    /// <summary>Sees every plain request of its connections first.</summary>
    public IFirstResponder Responder => loops.Responder;

    /// <summary>Kestrel's sides of its connections.</summary>
    public IBorrowers Borrowers => borrowers;

    /// <summary>Ms: a head must be whole.</summary>
    public long HeadTimeoutMs => loops.HeadTimeoutMs;

    /// <inheritdoc cref="LoopGroup.ClientTimeoutMs"/>
    public long ClientTimeoutMs => loops.ClientTimeoutMs;

    /// <summary><see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long Timestamp => loops.Timestamp;

    /// <summary>Answers under way end, nothing new begins.</summary>
    public bool IsClosing { get; private set; }

    /// <summary>The time for that is over too.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Complete when it accepts no more, and each connection that it has accepted has sent a request or has ended.</summary>
    public Task HaveAllAsked => _haveAllAsked.Task;

    /// <summary>Accepts no more from now on; connections stay. Any thread.</summary>
    public void StopAccepting()
    {
        if (Interlocked.Exchange(ref _isStopping, 1) == 0)
        {
            loop.Post(this);
        }
    }

    /// <summary>Stops accepting, and lets answers under way end as long as the token allows. Any thread.</summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        StopAccepting();
        IsClosing = true;
        loops.SweepAll();
        try
        {
            await _isEmpty.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            IsOver = true;
            loops.SweepAll();
            await _isEmpty.Task;
        }
    }

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
                loops.OutOfDescriptors();
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
            HasAsked();
            Release();
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

    /// <summary>Whom the settings refuse is told so by Kestrel, to which all belong on a port of TLS.</summary>
    public bool Serves(IPAddress client) => !isKestrels && loops.Responder.Serves(client);

    /// <summary>A connection comes back from Kestrel. False: the proxy is stopping, Kestrel is to end it.</summary>
    public bool TryHold()
    {
        if (IsClosing)
        {
            return false;
        }

        Interlocked.Increment(ref _held);
        return true;
    }

    /// <summary>A connection is no longer the loops': it is Kestrel's for now, or it ends.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _held) == 0)
        {
            _isEmpty.TrySetResult();
        }
    }

    /// <summary>A connection has sent its first request, or has ended without one.</summary>
    public void HasAsked()
    {
        if (Interlocked.Decrement(ref _newcomers) == 0)
        {
            _haveAllAsked.TrySetResult();
        }
    }

    /// <inheritdoc cref="LoopGroup.TryName"/>
    public bool TryName(IPAddress client) => loops.TryName(client);

    /// <summary>A connection was closed.</summary>
    /// <param name="client">Null: it was never said whose it was.</param>
    public void Closed(IPAddress? client) => loops.Left(client);

    private void Welcome(int descriptor, IPEndPoint client)
    {
        bool isUnnamed = loops.Balancers.Names(client.Address);
        if (!loops.TryEnter(isUnnamed ? null : client.Address))
        {
            Epoll.Close(descriptor);
            return;
        }

        Interlocked.Increment(ref _held);
        Interlocked.Increment(ref _newcomers);
        EventLoop next = loops.NextLoop();
        var connection = new LoopConnection(next, this, client, isUnnamed) { Descriptor = descriptor };
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
}

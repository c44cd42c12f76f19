using System.IO.Pipelines;
using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Listening;
using Microsoft.AspNetCore.Connections;

namespace Breakwater.Proxy.EventLoops;

/// <summary>
/// Kestrel's side of a loop's connection. It is made for the first request that is Kestrel's, and stays for the next ones; in between,
/// while Kestrel waits for more, the loop has the socket to itself. The loop closes the socket, after <see cref="DisposeAsync"/>.
/// </summary>
internal sealed class OrdinaryConnection : DefaultConnectionContext, IDuplexPipe, IJoinedRequestFeature
{
    private readonly Action _hasNews;
    private readonly int _descriptor;
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _gate = new();
    private readonly DirectWriter _output;
    private JoinedRequest? _joined;
    private long _startedAt;
    private bool _isOver;       // guarded by _gate

    /// <summary>A connection for Kestrel to accept.</summary>
    /// <param name="descriptor">The socket, open until the loop has seen <see cref="IsOver"/>.</param>
    /// <param name="id">Identity of the connection.</param>
    /// <param name="local">Its end here.</param>
    /// <param name="remote">The client's.</param>
    /// <param name="hasNews">Called when the loop should look at it: Kestrel waits for bytes, or is done.</param>
    public OrdinaryConnection(int descriptor, string id, EndPoint? local, EndPoint remote, Action hasNews)
        : base(id)
    {
        _descriptor = descriptor;
        _hasNews = hasNews;
        _output = new DirectWriter(descriptor);
        Input = new OrdinaryInput(hasNews);
        Transport = this;
        LocalEndPoint = local;
        RemoteEndPoint = remote;
        ConnectionClosed = _closed.Token;
        Features.Set<IJoinedRequestFeature>(this);
    }

    /// <summary>What Kestrel reads.</summary>
    public OrdinaryInput Input { get; }

    PipeReader IDuplexPipe.Input => Input;

    PipeWriter IDuplexPipe.Output => _output;

    /// <summary>Has Kestrel let go of it? Then nobody but the loop uses the socket.</summary>
    public bool IsOver
    {
        get
        {
            lock (_gate)
            {
                return _isOver;
            }
        }
    }

    /// <summary>Was it torn down, not brought to its end?</summary>
    public bool IsAborted { get; private set; }

    /// <summary>The loop has begun something with the request that it gives Kestrel.</summary>
    /// <param name="joined">What it has joined; null: nothing.</param>
    /// <param name="startedAt">When it had the request's head; 0: it does not know.</param>
    public void Hand(JoinedRequest? joined, long startedAt)
    {
        Volatile.Write(ref _startedAt, startedAt);
        Drop(Interlocked.Exchange(ref _joined, joined));
    }

    /// <summary>The socket has room again.</summary>
    public void HasRoom() => _output.HasRoom();

    /// <summary>The client is gone: what is under way for it is called off.</summary>
    public void ClientLeft() => _ = _closed.CancelAsync();

    /// <summary>
    /// The loop goes on alone, and may close the socket. Only while Kestrel waits for more: it finds the end of its input, and goes, having
    /// sent all that it had to.
    /// </summary>
    public void Detach()
    {
        LetGo();
        Input.End();
    }

    /// <inheritdoc/>
    public JoinedRequest? Take(in ObjectKey key)
    {
        JoinedRequest? joined = Interlocked.Exchange(ref _joined, null);
        if (joined is null || joined.Key == key)
        {
            return joined;
        }

        Drop(joined);
        return null;
    }

    /// <inheritdoc/>
    public long TakeStart() => Interlocked.Exchange(ref _startedAt, 0);

    /// <summary>Ends it while nothing is under way.</summary>
    public void Dismiss() => TearDown(mayBeInAnAnswer: false);

    /// <summary>
    /// The client gets a reset: an answer that is cut must not look like one that has come to its end, whatever frames it.
    /// </summary>
    public override void Abort(ConnectionAbortedException abortReason) => TearDown(mayBeInAnAnswer: true);

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        Hand(null, 0);
        LetGo();
        _hasNews();
        return base.DisposeAsync();
    }

    /// <summary>The descriptor may be another connection's from now on.</summary>
    private void LetGo()
    {
        _output.Break();
        lock (_gate)
        {
            _isOver = true;
        }
    }

    private void TearDown(bool mayBeInAnAnswer)
    {
        lock (_gate)
        {
            if (_isOver)
            {
                return;
            }

            IsAborted = true;
            if (mayBeInAnAnswer)
            {
                Epoll.Reset(_descriptor);
            }
            else
            {
                Epoll.Shutdown(_descriptor);
            }
        }

        _output.Break();
        Input.End();
        ClientLeft();
    }

    private static void Drop(JoinedRequest? joined) => _ = joined?.DisposeAsync().AsTask();
}

using System.IO.Pipelines;
using System.Net;
using Breakwater.Proxy.Listening;
using Microsoft.AspNetCore.Connections;

namespace Breakwater.Proxy.EventLoops.KestrelSide;

/// <summary>
/// Kestrel's side of a loop's connection. It is made for the first request that is Kestrel's, and stays for the next ones; in between,
/// while Kestrel waits for more, the loop has the socket to itself. The loop closes the socket, after <see cref="DisposeAsync"/>.
/// </summary>
internal sealed class OrdinaryConnection : DefaultConnectionContext, IDuplexPipe, IBorrower, IBegunRequestFeature
{
    private readonly Action _hasNews;
    private readonly int _descriptor;
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _gate = new();
    private readonly DirectWriter _output;
    private readonly OrdinaryInput _input;
    private IAsyncDisposable? _work;
    private long _startedAt;
    private bool _isOver;       // guarded by _gate

    /// <summary>A connection for Kestrel to accept.</summary>
    /// <param name="descriptor">The socket, open until the loop has seen <see cref="IsOver"/>.</param>
    /// <param name="id">Identity of the connection.</param>
    /// <param name="client">The client's end.</param>
    /// <param name="hasNews">Called when the loop should look at it: Kestrel waits for bytes, or is done.</param>
    public OrdinaryConnection(int descriptor, string id, IPEndPoint client, Action hasNews)
        : base(id)
    {
        _descriptor = descriptor;
        _hasNews = hasNews;
        _output = new DirectWriter(descriptor);
        _input = new OrdinaryInput(hasNews);
        Transport = this;
        LocalEndPoint = Epoll.LocalEndPoint(descriptor);
        RemoteEndPoint = client;
        ConnectionClosed = _closed.Token;
        Features.Set<IBegunRequestFeature>(this);
    }

    PipeReader IDuplexPipe.Input => _input;

    PipeWriter IDuplexPipe.Output => _output;

    /// <inheritdoc/>
    public bool IsWaiting => _input.IsWaiting;

    /// <inheritdoc/>
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

    /// <inheritdoc/>
    public bool WaitsForRoom => _output.WaitsForRoom;

    /// <inheritdoc/>
    public long SentBytes => _output.SentBytes;

    /// <inheritdoc/>
    public bool IsAborted { get; private set; }

    /// <inheritdoc/>
    public void Announce(BegunRequest begun)
    {
        Volatile.Write(ref _startedAt, begun.StartedAt);
        _ = Interlocked.Exchange(ref _work, begun.Work)?.DisposeAsync().AsTask();
    }

    /// <inheritdoc/>
    public void Give(ReadOnlySpan<byte> bytes) => _input.Give(bytes);

    /// <inheritdoc/>
    public void EndInput() => _input.End();

    /// <inheritdoc/>
    public void HasRoom() => _output.HasRoom();

    /// <inheritdoc/>
    public void ClientLeft() => _ = _closed.CancelAsync();

    /// <inheritdoc/>
    public void Detach()
    {
        LetGo();
        _input.End();
    }

    /// <inheritdoc/>
    public IAsyncDisposable? TakeWork() => Interlocked.Exchange(ref _work, null);

    /// <inheritdoc/>
    public long TakeStart() => Interlocked.Exchange(ref _startedAt, 0);

    /// <inheritdoc/>
    public void Cut() => TearDown(mayBeInAnAnswer: true);

    /// <inheritdoc/>
    public void Dismiss() => TearDown(mayBeInAnAnswer: false);

    /// <summary>
    /// The client gets a reset: an answer that is cut must not look like one that has come to its end, whatever frames it.
    /// </summary>
    public override void Abort(ConnectionAbortedException abortReason) => TearDown(mayBeInAnAnswer: true);

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        Announce(default);
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
        _input.End();
        ClientLeft();
    }
}

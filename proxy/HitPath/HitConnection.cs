using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Breakwater.CacheStore;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Breakwater.Proxy.HitPath;

/// <summary>
/// One connection, two ways: at each boundary between requests it answers hits itself, and lets Kestrel see every other request, alone, as if nothing were
/// before or behind it. It is Kestrel's input; its output is a <see cref="DirectWriter"/>. Design: docs/adr, "The hit path"; the mechanics rest on
/// Kestrel's HTTP/1 loop being strictly sequential: read, parse, application, flush, next read.
/// </summary>
internal sealed class HitConnection : PipeReader, IDuplexPipe, IJoinedRequestFeature, IAsyncDisposable
{
    /// <summary>Hits answered in a row before others get their turn on this thread.</summary>
    public const int HitsPerTurn = 32;

    /// <summary>A connection without a request is closed after this time, ms.</summary>
    public const int IdleMs = 5 * 60 * 1000;

    /// <summary>A head must be whole within this time, ms.</summary>
    public const int PartialHeadMs = 10 * 1000;

    private readonly ConnectionContext _connection;
    private readonly Socket _socket;
    private readonly IPAddress _client;
    private readonly PipeReader _transport;
    private readonly DirectWriter _output;
    private readonly HitResponder _responder;
    private readonly PendingSend _pending = new();
    private State _state = State.Boundary;
    private ReadOnlySequence<byte> _released;   // the head that Kestrel was given
    private long _waitingSince = -1;            // ms; −1 while not waiting for the client's bytes
    private long _partialSince = -1;            // ms; when the head that is not whole yet began
    private JoinedRequest? _joined;             // the request at the boundary, or one that Kestrel was given and did not take over
    private volatile bool _isKestrels;          // Kestrel has begun: it reads through us
    private bool _isCut;                        // the heartbeat's
    private bool _isStopping;
    private bool _isOver;

    public HitConnection(ConnectionContext connection, Socket socket, IPAddress client, HitResponder responder, JoinedRequest? joined)
    {
        _joined = joined;
        _client = client;
        _connection = connection;
        _socket = socket;
        _responder = responder;
        _transport = connection.Transport.Input;
        _output = new DirectWriter(socket, connection.Transport.Output);
    }

    PipeReader IDuplexPipe.Input => this;

    PipeWriter IDuplexPipe.Output => _output;

    /// <summary>Serves the connection to its end; Kestrel is started at the first request that is not ours.</summary>
    public async Task RunAsync(ConnectionDelegate next)
    {
        _connection.Features.Get<IConnectionHeartbeatFeature>()?.OnHeartbeat(static state => ((HitConnection)state).Heartbeat(), this);
        _connection.Features.Set<IJoinedRequestFeature>(this);
        CancellationToken closeRequested = _connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using (closeRequested.UnsafeRegister(static state => ((HitConnection)state!).Stop(), this))
        {
            ReadResult result;
            try
            {
                result = await ReadBoundaryAsync(default);
            }
            catch (Exception e) when (e is ConnectionResetException or ConnectionAbortedException)
            {
                // The client is gone between two requests, or was sent away by a timer: nothing to tell anybody.
                return;
            }

            if (_isOver)
            {
                return;
            }

            if (result.IsCanceled || (result.IsCompleted && result.Buffer.IsEmpty))
            {
                _transport.AdvanceTo(result.Buffer.End);
                return;
            }

            // Give it back unread: Kestrel's first read finds it again.
            _transport.AdvanceTo(result.Buffer.Start, result.Buffer.Start);
            _state = _state == State.Released ? State.Boundary : _state;
        }

        IDuplexPipe transport = _connection.Transport;
        _connection.Transport = this;
        _isKestrels = true;
        try
        {
            await next(_connection);
        }
        finally
        {
            _connection.Transport = transport;
        }
    }

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        _state == State.Boundary ? ReadBoundaryAsync(cancellationToken) : ReadOrdinaryAsync(cancellationToken);

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        if (_state == State.Boundary || !_transport.TryRead(out result))
        {
            result = default;
            return false;
        }

        result = Clip(result);
        return true;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_isOver)
        {
            return;
        }

        if (_state == State.Released)
        {
            _released = _released.Slice(consumed);
            if (_released.IsEmpty)
            {
                // Kestrel has the whole request: what follows is a boundary. What it has not been shown is not examined.
                _state = State.Boundary;
                examined = consumed;
            }
        }

        _transport.AdvanceTo(consumed, examined);
    }

    /// <inheritdoc/>
    public override void CancelPendingRead()
    {
        _isStopping = true;
        _transport.CancelPendingRead();
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => _transport.Complete(exception);

    /// <inheritdoc/>
    public JoinedRequest? Take(in ObjectKey key)
    {
        JoinedRequest? joined = _joined?.Key == key ? _joined : null;
        _joined = joined is null ? _joined : null;
        return joined;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _pending.Dispose();
        await ForgetJoinedAsync();
    }

    /// <summary>Answers hits until something else comes: that is what it returns.</summary>
    private async ValueTask<ReadResult> ReadBoundaryAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadResult result = await ReadTransportAsync(cancellationToken);
            if (result.IsCanceled)
            {
                return result;
            }

            Step step = Answer(result.Buffer, out SequencePosition reached, out int headLength);
            if (step != Step.NeedsMore)
            {
                Volatile.Write(ref _partialSince, -1); // the head is whole: what takes time now is the answer
            }

            switch (step)
            {
                case Step.NeedsMore when result.IsCompleted:
                case Step.Pass:
                    _state = State.Passed;
                    return new ReadResult(result.Buffer.Slice(reached), false, result.IsCompleted);

                case Step.NeedsMore:
                    NotePartialHead(!result.Buffer.Slice(reached).IsEmpty, reached.Equals(result.Buffer.Start));
                    _transport.AdvanceTo(reached, result.Buffer.End);
                    break;

                case Step.Release:
                    _state = State.Released;
                    _released = result.Buffer.Slice(reached, headLength);
                    return new ReadResult(_released, false, false);

                case Step.Pause:
                    _transport.AdvanceTo(reached, reached);
                    await Task.Yield();
                    break;

                case Step.Follow:
                    // The request stays in the buffer: it is read again when its object is there.
                    _transport.AdvanceTo(reached, reached);
                    await _joined!.WaitAsync(_connection.ConnectionClosed);
                    break;

                case Step.Send:
                    _transport.AdvanceTo(reached, reached);
                    if (!await FinishSendAsync())
                    {
                        _isOver = true;
                        return new ReadResult(default, false, isCompleted: true);
                    }

                    break;
            }
        }
    }

    private async ValueTask<ReadResult> ReadOrdinaryAsync(CancellationToken cancellationToken) => Clip(await ReadTransportAsync(cancellationToken));

    private async ValueTask<ReadResult> ReadTransportAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref _waitingSince, Environment.TickCount64);
        try
        {
            return await _transport.ReadAsync(cancellationToken);
        }
        finally
        {
            Volatile.Write(ref _waitingSince, -1);
        }
    }

    /// <summary>What Kestrel may see: the one request it was given, or everything.</summary>
    private ReadResult Clip(ReadResult result)
    {
        if (_state != State.Released)
        {
            return result;
        }

        _released = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, _released.Length));
        return new ReadResult(_released, result.IsCanceled, false);
    }

    /// <summary>Answers the hits at the beginning of the bytes at hand.</summary>
    private Step Answer(in ReadOnlySequence<byte> buffer, out SequencePosition reached, out int headLength)
    {
        reached = buffer.Start;
        headLength = 0;
        for (int hits = 0; ; hits++)
        {
            ReadOnlySequence<byte> rest = buffer.Slice(reached);
            if (rest.IsEmpty)
            {
                return Step.NeedsMore;
            }

            if (hits == HitsPerTurn)
            {
                return Step.Pause;
            }

            ReadOnlySpan<byte> bytes = rest.FirstSpan;
            byte[]? joined = null;
            try
            {
                if (!rest.IsSingleSegment && bytes.IndexOf("\r\n\r\n"u8) < 0)
                {
                    int length = (int)Math.Min(rest.Length, RequestHead.MaxBytes + 4);
                    joined = ArrayPool<byte>.Shared.Rent(length);
                    rest.Slice(0, length).CopyTo(joined);
                    bytes = joined.AsSpan(0, length);
                }

                HeadScan scan = RequestHead.Scan(bytes, out RequestHead head);
                headLength = head.Length;
                switch (scan)
                {
                    case HeadScan.Incomplete:
                        return Step.NeedsMore;
                    case HeadScan.Doubtful:
                        return Step.Pass;
                    case HeadScan.Ordinary:
                        return Step.Release;
                }

                // A flush of Kestrel's that is still under way must not be overtaken; and no new hits while stopping.
                if (_output.HasPending || _isStopping)
                {
                    return Step.Release;
                }

                HitAnswer answer = TryAnswer(head);
                if (answer == HitAnswer.None)
                {
                    return TryJoin(head) ? Step.Follow : Step.Release;
                }

                _ = ForgetJoinedAsync();
                reached = buffer.GetPosition(headLength, reached);
                if (answer == HitAnswer.Pending)
                {
                    return Step.Send;
                }
            }
            finally
            {
                if (joined is not null)
                {
                    ArrayPool<byte>.Shared.Return(joined);
                }
            }
        }
    }

    private HitAnswer TryAnswer(in RequestHead head)
    {
        try
        {
            using SocketSender.HeldDescriptor held = new(_socket);
            return _responder.TryAnswer(head, held.Value, _client, _connection.ConnectionId, _pending, _joined);
        }
        catch (ObjectDisposedException)
        {
            // Aborted meanwhile: the ordinary way finds that out.
            return HitAnswer.None;
        }
    }

    /// <summary>True: the request waits for its object from now on. Not for the same one twice: then it is Kestrel's.</summary>
    private bool TryJoin(in RequestHead head)
    {
        if (_joined is not null && HitResponder.IsFor(head, _joined))
        {
            return false;
        }

        _ = ForgetJoinedAsync();
        _joined = _responder.TryJoin(head, _client, _connection.ConnectionId);
        return _joined is not null;
    }

    private Task ForgetJoinedAsync() => Interlocked.Exchange(ref _joined, null)?.DisposeAsync().AsTask() ?? Task.CompletedTask;

    /// <summary>False: the connection is over.</summary>
    private async ValueTask<bool> FinishSendAsync()
    {
        try
        {
            await _pending.FinishAsync(_socket);
            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
        {
            _connection.Abort(new ConnectionAbortedException("A hit could not be sent whole.", e));
            return false;
        }
    }

    private void NotePartialHead(bool isPartial, bool isSame)
    {
        if (!isPartial)
        {
            Volatile.Write(ref _partialSince, -1);
        }
        else if (_partialSince < 0 || !isSame)
        {
            Volatile.Write(ref _partialSince, Environment.TickCount64);
        }
    }

    private void Stop()
    {
        _isStopping = true;
        _transport.CancelPendingRead();
    }

    /// <summary>
    /// Ends a connection that waits for its client's bytes. Before Kestrel has begun, without an exception and at some moment of the next second: they may be
    /// thousands, all found by the same heartbeat.
    /// </summary>
    private void Cut(string reason)
    {
        if (_isKestrels)
        {
            _connection.Abort(new ConnectionAbortedException(reason));
        }
        else if (!_isCut)
        {
            _isCut = true;
            _ = StopLaterAsync();
        }
    }

    private async Task StopLaterAsync()
    {
        await Task.Delay(Random.Shared.Next(1000));
        Stop();
    }

    /// <summary>Once a second: Kestrel's timers do not see hits, so the connection has its own.</summary>
    private void Heartbeat()
    {
        long now = Environment.TickCount64;
        long partial = Volatile.Read(ref _partialSince);
        long waiting = Volatile.Read(ref _waitingSince);
        if (partial >= 0 && now - partial > PartialHeadMs)
        {
            Cut("The client sent a part of a request and no more in time.");
        }
        else if (waiting >= 0 && now - waiting > IdleMs)
        {
            Cut("The connection was idle.");
        }
        else if (_pending.IsStuck(now))
        {
            _connection.Abort(new ConnectionAbortedException("The client takes no bytes."));
        }
    }

    private enum State : byte
    {
        /// <summary>Between two requests: we read.</summary>
        Boundary,

        /// <summary>Kestrel reads one request that it was given.</summary>
        Released,

        /// <summary>Kestrel reads, for good.</summary>
        Passed,
    }

    private enum Step : byte
    {
        NeedsMore,
        Pause,
        Follow,
        Send,
        Release,
        Pass,
    }
}

using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.EventLoops;

/// <summary>
/// A client's connection. At each boundary between requests its loop reads, answers hits itself, lets requests wait for objects that are
/// being fetched, and lends everything else to Kestrel, one request at a time, as if nothing were before or behind it; for good when the
/// request is doubtful. All on its loop's thread. The mechanics rest on Kestrel's HTTP/1 loop being strictly sequential: read, parse,
/// application, flush, next read.
/// </summary>
internal sealed partial class LoopConnection(EventLoop loop, LoopListener listener, HitResponder responder, IPEndPoint client) : LoopSource
{
    /// <summary>Hits answered in a row before others have their turn.</summary>
    private const int HitsPerTurn = 32;

    /// <summary>
    /// Receives in a row before others have their turn: a client that sends faster than it is served must not keep the loop.
    /// </summary>
    private const int ReceivesPerTurn = 8;

    /// <summary>
    /// Ms: a connection without a request is closed. A client keeps its own between two checks of the manifest, 240 s by default.
    /// </summary>
    private const int IdleMs = 5 * 60 * 1000;

    /// <summary>Ms: Kestrel's side of a connection that only had hits since is let go.</summary>
    private const int KeptForKestrelMs = 10 * 1000;

    /// <summary>
    /// Ms: so long a client that was told that the connection ends may still send: closed at once, what it is yet to read could be lost.
    /// </summary>
    private const int LingerMs = 2 * 1000;

    private const int Again = 11;
    private const int Interrupted = 4;

    private static long s_lastId;

    private State _state = State.New;
    private string? _id;
    private Action? _wake;
    private byte[]? _rest;                  // from the pool: what was received and not served
    private int _restLength;
    private PendingSend? _pending;          // while sending
    private JoinedRequest? _joined;         // while following, and until its answer
    private GrowingSend? _growing;          // while streaming
    private Task? _growth;                  // what a starved answer waits for
    private SendProgress _progress;         // of the growing answer
    private OrdinaryConnection? _ordinary;  // Kestrel's side, once it was needed
    private long _since = loop.Now;         // ms: the last answer, or the first byte of a head that is not whole
    private bool _isPartial;
    private bool _isPaused;                 // the others have their turn first
    private bool _mayRead;                  // there may be bytes to receive
    private bool _isPeerDone;
    private bool _isForGood;                // lent for good

    private enum State : byte
    {
        New,
        Reading,
        Sending,

        /// <summary>Its request waits for an object that is being fetched.</summary>
        Following,

        /// <summary>Its answer goes out while the object is being fetched.</summary>
        Streaming,

        /// <summary>Kestrel's.</summary>
        Lent,

        /// <summary>Everything is said: what still comes is thrown away.</summary>
        Lingering,
        Closed,
    }

    private string Id => _id ??= string.Create(CultureInfo.InvariantCulture, $"L{Interlocked.Increment(ref s_lastId):X}");

    private Action Wake => _wake ??= () => loop.Post(this);

    private ReadOnlySpan<byte> Rest => _rest.AsSpan(0, _restLength);

    /// <inheritdoc/>
    public override void Ready(Readiness readiness)
    {
        bool isGone = (readiness & (Readiness.Error | Readiness.HangUp)) != 0;
        _isPeerDone |= (readiness & Readiness.PeerDone) != 0;
        _mayRead |= isGone || (readiness & (Readiness.Input | Readiness.PeerDone)) != 0;
        if (_state == State.Lent)
        {
            ReadyWhileLent(isGone, (readiness & Readiness.Output) != 0);
        }
        else if (_state == State.Lingering)
        {
            Linger(); // both ends have said that they send no more: still, what was sent and not read would make the close a reset
        }
        else if (isGone)
        {
            Close();
        }
        else if (_state == State.Sending && (readiness & Readiness.Output) != 0)
        {
            GoOnSending();
        }
        else if (_state == State.Streaming && (readiness & Readiness.Output) != 0 && _progress == SendProgress.Full)
        {
            WaitForTurn();
        }
        else if (_mayRead)
        {
            Serve(hasUnserved: false);
        }
    }

    /// <inheritdoc/>
    public override void Posted()
    {
        switch (_state)
        {
            case State.New:
                _state = State.Reading;
                loop.Add(this, Readiness.Input | Readiness.Output | Readiness.PeerDone | Readiness.Edge);
                if (!listener.IsForLoops(client.Address))
                {
                    _isForGood = true;
                    Lend([]);
                }

                break;
            case State.Following:
                LookAgain();
                break;
            case State.Streaming when _progress == SendProgress.Paused:
                GoOnStreaming();
                break;
            case State.Streaming when _progress == SendProgress.Starved && _growth!.IsCompleted:
                WaitForTurn();
                break;
            case State.Lent:
                LookAtKestrel();
                break;
            case State.Reading when _isPaused:
                _isPaused = false;
                Serve(hasUnserved: _restLength > 0);
                break;
            case State.Lingering:
                Linger();
                break;
        }
    }

    /// <inheritdoc/>
    public override void Sweep(long now)
    {
        long waited = now - _since;
        bool isOver = _state switch
        {
            State.Reading => listener.IsClosing || waited > (_isPartial ? listener.HeadTimeoutMs : IdleMs),
            State.Sending => listener.IsOver || _pending!.IsStuck(now, Descriptor),
            State.Following => listener.IsOver,
            State.Streaming => listener.IsOver || _growing!.IsStuck(now, Descriptor),
            State.Lent => _isForGood && waited > IdleMs && _ordinary!.Input.IsWaiting,
            State.Lingering => waited > LingerMs,
            _ => false,
        };
        if (isOver)
        {
            Close();
        }
        else if (_ordinary is not null && _state == State.Reading && waited > KeptForKestrelMs)
        {
            _ordinary.Detach();
            _ordinary = null;
        }
    }

    /// <inheritdoc/>
    public override void Fail() => Close();

    /// <summary>
    /// The loop is over. What Kestrel still has is left to the end of the process: its number must not become another's under Kestrel's
    /// hands.
    /// </summary>
    public void Abandon()
    {
        if (_state != State.Lent || _ordinary!.IsOver)
        {
            Epoll.Close(Descriptor);
        }
    }

    /// <summary>If it has waited long enough for its object, the request is Kestrel's.</summary>
    public void LosePatience()
    {
        if (_state == State.Following && loop.Now - _since >= JoinedRequest.PatienceMs)
        {
            _state = State.Reading;
            KeepRest(Rest[LendFirst(Rest)..]);
        }
    }

    /// <summary>Serves the bytes at hand, and those that can be received.</summary>
    /// <param name="hasUnserved">What is left of the bytes received before may hold a whole request.</param>
    private void Serve(bool hasUnserved)
    {
        for (int turn = 0; _state == State.Reading && !_isPaused && (hasUnserved || _mayRead); turn++)
        {
            if (turn == ReceivesPerTurn)
            {
                _isPaused = true;
                loop.Post(this);
                return;
            }

            Span<byte> input = loop.Input;
            int length = _restLength;
            Rest.CopyTo(input);
            if (!hasUnserved)
            {
                int received = Receive(input[length..]);
                if (received <= 0)
                {
                    GotNothing(received);
                    continue;
                }

                length += received;
            }

            hasUnserved = false;
            int served = Answer(input[..length]);
            if (_state < State.Lingering)
            {
                KeepRest(input[served..length]);
                if (listener.IsClosing && _state == State.Reading && served == length)
                {
                    Close();
                }
            }
        }
    }

    private int Receive(Span<byte> room)
    {
        int received = Epoll.Receive(Descriptor, room);
        _mayRead = received == room.Length || received == -Interrupted || (received >= 0 && _isPeerDone) || received == 0;
        return received;
    }

    private void GotNothing(int received)
    {
        switch (received)
        {
            case 0 when _restLength > 0:
                // A head that never becomes whole: Kestrel's to answer.
                _isForGood = true;
                Lend(Rest);
                DropRest();
                break;
            case -Again or -Interrupted:
                break;
            default:
                Close();
                break;
        }
    }

    /// <summary>Answers the hits at the beginning of the bytes. Returns how many bytes are dealt with.</summary>
    private int Answer(ReadOnlySpan<byte> bytes)
    {
        bool wasPartial = _isPartial;
        _isPartial = false;
        int at = 0;
        for (int hits = 0; at < bytes.Length && _state == State.Reading; hits++)
        {
            if (hits == HitsPerTurn)
            {
                _isPaused = true;
                loop.Post(this);
                return at;
            }

            HeadScan scan = RequestHead.Scan(bytes[at..], out RequestHead head);
            if (scan == HeadScan.Incomplete)
            {
                _since = wasPartial && at == 0 ? _since : loop.Now;
                _isPartial = true;
                return at;
            }

            if (scan == HeadScan.Plain && TryAnswer(head))
            {
                ForgetJoined();
                _since = loop.Now;
                at += head.Length;
            }
            else if (_state == State.Reading && scan == HeadScan.Plain && TryStream(head))
            {
                at += head.Length;
            }
            else if (_state == State.Reading && (scan != HeadScan.Plain || !TryJoin(head)))
            {
                return at + LendFirst(bytes[at..]);
            }
        }

        return at;
    }

    private bool TryAnswer(in RequestHead head)
    {
        PendingSend send = loop.TakeSend();
        HitAnswer answer = responder.TryAnswer(head, Descriptor, client.Address, Id, send, _joined);
        if (answer != HitAnswer.Pending)
        {
            loop.Return(send);
            return answer == HitAnswer.Sent;
        }

        // The head may be all that is out, and a socket tells of its room only once it was full.
        _pending = send;
        _state = State.Sending;
        TrySendRest();
        return true;
    }

    /// <summary>True: the request waits for its object from now on. Not for the same one twice: then it is Kestrel's.</summary>
    private bool TryJoin(in RequestHead head)
    {
        if (listener.IsClosing || (_joined is not null && HitResponder.IsFor(head, _joined)))
        {
            return false;
        }

        ForgetJoined();
        _joined = responder.TryJoin(head, client.Address, Id);
        if (_joined is null)
        {
            return false;
        }

        _state = State.Following;
        _since = loop.Now;
        loop.WatchPatience(this);
        WaitForChange(_joined);
        return true;
    }

    private void WaitForChange(JoinedRequest joined) => loop.Await(joined.Change(), this);

    /// <summary>Something has changed about the object it waits for: is it whole, or must it wait on? Anything else is Kestrel's.</summary>
    private void LookAgain()
    {
        if (_joined!.IsUndecided)
        {
            WaitForChange(_joined);
            return;
        }

        _state = State.Reading;
        Serve(hasUnserved: true);
    }

    private void GoOnSending()
    {
        if (!TrySendRest())
        {
            return;
        }

        GoOnReading();
    }

    /// <summary>An answer is out: the next request, if there is to be one.</summary>
    private void GoOnReading()
    {
        _since = loop.Now;
        if (listener.IsClosing && _restLength == 0)
        {
            Close();
        }
        else
        {
            Serve(hasUnserved: _restLength > 0);
        }
    }

    /// <summary>Sends what the socket takes. True: everything is out, the connection reads again.</summary>
    private bool TrySendRest()
    {
        try
        {
            if (!_pending!.GoOn(Descriptor))
            {
                return false;
            }
        }
        catch (SocketException)
        {
            Close();
            return false;
        }
        catch (IOException)
        {
            return TryResume();
        }

        responder.RecordEnd(_pending, cut: null);
        loop.Return(_pending);
        _pending = null;
        _state = State.Reading;
        return true;
    }

    /// <summary>Closes the connection; where Kestrel has a part in it, when that has ended.</summary>
    private void Close()
    {
        if (_state is State.Sending or State.Streaming)
        {
            // What was promised does not all come: that must not look like an end. And the kernel forgets what it holds for a client that
            // does not read.
            Epoll.ResetAtClose(Descriptor);
        }

        ForgetJoined();
        EndGrowing(RequestResult.ClientGone);
        EndPending(RequestResult.ClientGone);
        switch (_state)
        {
            case State.Closed:
                break;
            case State.Lent:
                _ordinary!.Dismiss();
                break;
            case State.Lingering:
                CloseSocket();
                break;
            default:
                _ordinary?.Detach();
                listener.Lent(null);
                CloseSocket();
                break;
        }
    }

    /// <summary>An answer is cut.</summary>
    private void EndPending(RequestResult cut)
    {
        if (_pending is not null)
        {
            responder.RecordEnd(_pending, cut);
            _pending.Abandon();
            loop.Return(_pending);
            _pending = null;
        }
    }

    private void CloseSocket()
    {
        _state = State.Closed;
        loop.Remove(this);
        DropRest();
        Epoll.Close(Descriptor);
        listener.Closed(client.Address);
    }

    private void ForgetJoined()
    {
        if (_joined is not null)
        {
            _ = _joined.DisposeAsync().AsTask();
            _joined = null;
        }
    }

    private void KeepRest(ReadOnlySpan<byte> rest)
    {
        if (rest.IsEmpty)
        {
            DropRest();
            return;
        }

        if (_rest is null || _rest.Length < rest.Length)
        {
            DropRest();
            _rest = ArrayPool<byte>.Shared.Rent(rest.Length);
        }

        rest.CopyTo(_rest);
        _restLength = rest.Length;
    }

    private void DropRest()
    {
        if (_rest is not null)
        {
            ArrayPool<byte>.Shared.Return(_rest);
            _rest = null;
        }

        _restLength = 0;
    }
}

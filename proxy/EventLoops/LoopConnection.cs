using System.Globalization;
using System.Net;
using Breakwater.Proxy.Listening;

namespace Breakwater.Proxy.EventLoops;

/// <summary>
/// A client's connection. At each boundary between requests its loop reads, shows the request to the first responder, and lends everything
/// that this leaves alone to Kestrel, one request at a time, as if nothing were before or behind it; for good when the request is doubtful.
/// All on its loop's thread. The mechanics rest on Kestrel's HTTP/1 loop being strictly sequential: read, parse, application, flush, next
/// read.
/// </summary>
internal sealed partial class LoopConnection(EventLoop loop, LoopListener listener, IPEndPoint sender, bool isUnnamed) : LoopSource
{
    /// <summary>Requests answered in a row before others have their turn.</summary>
    private const int AnswersPerTurn = 32;

    /// <summary>
    /// Receives in a row before others have their turn: a client that sends faster than it is served must not keep the loop.
    /// </summary>
    private const int ReceivesPerTurn = 8;

    /// <summary>Ms: Kestrel's side of a connection that did not need it since is let go.</summary>
    private const int KeptForKestrelMs = 10 * 1000;

    /// <summary>
    /// Ms: so long a client that was told that the connection ends may still send: closed at once, what it is yet to read could be lost.
    /// </summary>
    private const int LingerMs = 2 * 1000;

    private const int Again = 11;
    private const int Interrupted = 4;

    private static readonly long s_idleMs = (long)ConnectionRules.Idle.TotalMilliseconds;
    private static long s_lastId;

    private State _state = State.Reading;
    private IPEndPoint _client = sender;    // who asks, as soon as that is known
    private bool _isUnnamed = isUnnamed;    // a balancer is yet to say who asks
    private string? _id;
    private Action? _wake;
    private long _since = loop.Now;         // ms: the last answer, or the first byte of a head that is not whole
    private bool _isPartial;
    private bool _isNewcomer = true;        // no whole request has come of it yet; on a port of TLS nobody can tell
    private bool _isPaused;                 // the others have their turn first
    private bool _mayRead;                  // there may be bytes to receive
    private bool _isPeerDone;

    private enum State : byte
    {
        /// <summary>Between two requests, or within a head.</summary>
        Reading,

        /// <summary>An answer is under way.</summary>
        Answering,

        /// <summary>The request is Kestrel's.</summary>
        Lent,

        /// <summary>Everything is said: what still comes is thrown away.</summary>
        Lingering,

        /// <summary>The socket is closed.</summary>
        Closed,
    }

    /// <summary>The client's address.</summary>
    public IPAddress Client => _client.Address;

    /// <summary>Identity of the connection, as long as the process lives.</summary>
    public string Id => _id ??= string.Create(CultureInfo.InvariantCulture, $"L{Interlocked.Increment(ref s_lastId):X}");

    /// <summary>May a request wait here for what is yet to come? Not when the proxy stops.</summary>
    public bool MayWait => !listener.IsClosing;

    private Action Wake => _wake ??= () => loop.Post(this);

    /// <inheritdoc/>
    public override void Ready(Readiness readiness)
    {
        bool isGone = (readiness & (Readiness.Error | Readiness.HangUp)) != 0;
        bool hasRoom = (readiness & Readiness.Output) != 0;
        _isPeerDone |= (readiness & Readiness.PeerDone) != 0;
        _mayRead |= isGone || (readiness & (Readiness.Input | Readiness.PeerDone)) != 0;
        if (_state == State.Lent)
        {
            ReadyWhileLent(isGone, hasRoom);
        }
        else if (_state == State.Lingering)
        {
            Linger(); // both ends have said that they send no more: still, what was sent and not read would make the close a reset
        }
        else if (isGone)
        {
            Close();
        }
        else if (_state == State.Answering)
        {
            if (hasRoom && _progress == AnswerProgress.Full)
            {
                GoOnInTurn();
            }
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
            case State.Reading when Tag == 0:
                Begin();
                break;
            case State.Reading when _isPaused:
                _isPaused = false;
                Serve(hasUnserved: _restLength > 0);
                break;
            case State.Answering when _progress == AnswerProgress.Paused:
                GoOnAnswering();
                break;
            case State.Answering when _progress == AnswerProgress.Starved && _change!.IsCompleted:
                GoOnInTurn();
                break;
            case State.Lent:
                LookAtKestrel();
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
            State.Reading => listener.IsClosing || waited > (_isPartial || _isUnnamed ? listener.HeadTimeoutMs : s_idleMs),
            State.Answering => listener.IsOver || _watch.IsStuck(now, Descriptor, listener.ClientTimeoutMs),
            State.Lent => (_isForGood && waited > s_idleMs && _borrower!.IsWaiting) || IsStuckWhileLent(now),
            State.Lingering => waited > LingerMs,
            _ => false,
        };
        if (isOver && _state == State.Reading && _isPartial && !listener.IsClosing)
        {
            RefuseLateHead();
        }
        else if (isOver && _state == State.Lent && !_watch.IsResting)
        {
            _borrower!.Cut();
        }
        else if (isOver)
        {
            Close();
        }
        else if (_borrower is not null && _state == State.Reading && waited > KeptForKestrelMs)
        {
            _borrower.Detach();
            _borrower = null;
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
        if (_state != State.Lent || _borrower!.IsOver)
        {
            Epoll.Close(Descriptor);
        }
    }

    /// <summary>Its first turn: from now on the loop watches it.</summary>
    private void Begin()
    {
        loop.Add(this, Readiness.Input | Readiness.Output | Readiness.PeerDone | Readiness.Edge);
        if (!_isUnnamed)
        {
            LendUnlessServed([]);
        }
    }

    /// <summary>Who is refused by the settings is told so by Kestrel.</summary>
    /// <param name="bytes">What it has sent.</param>
    private void LendUnlessServed(ReadOnlySpan<byte> bytes)
    {
        if (!listener.Serves(_client.Address))
        {
            _isForGood = true;
            Lend(bytes, default);
        }
    }

    /// <summary>Closes the connection; where Kestrel has a part in it, when that has ended.</summary>
    private void Close()
    {
        switch (_state)
        {
            case State.Closed:
                break;
            case State.Lent:
                _borrower!.Dismiss();
                break;
            case State.Lingering:
                CloseSocket();
                break;
            case State.Answering:
                Cut(AnswerEnd.ClientGone);
                break;
            default:
                LeaveLoops();
                break;
        }
    }

    private void NoteAsked()
    {
        if (_isNewcomer)
        {
            _isNewcomer = false;
            listener.HasAsked();
        }
    }

    /// <summary>Closes the connection between two requests, or once its answer has ended.</summary>
    private void LeaveLoops()
    {
        _borrower?.Detach();
        listener.Release();
        CloseSocket();
    }

    private void CloseSocket()
    {
        NoteAsked();
        _state = State.Closed;
        loop.Remove(this);
        DropRest();
        Epoll.Close(Descriptor);
        listener.Closed(_isUnnamed ? null : _client.Address);
    }
}

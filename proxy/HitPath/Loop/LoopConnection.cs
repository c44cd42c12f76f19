using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Breakwater.Proxy.HitPath.Loop;

/// <summary>
/// A client's connection between its first byte and its first request that is not a hit: some 200 bytes of memory while it is idle. It reads, answers hits,
/// waits for objects that are being fetched, and gives everything else to Kestrel, with the bytes it has read. All on its loop's thread.
/// </summary>
internal sealed class LoopConnection(EventLoop loop, LoopListener listener, HitResponder responder, IPAddress client) : LoopSource
{
    private const int Again = 11;
    private const int Interrupted = 4;

    private static long s_lastId;

    private State _state = State.New;
    private string? _id;
    private Action? _wake;
    private byte[]? _rest;              // from the pool: what was received and not served
    private int _restLength;
    private PendingSend? _pending;      // while sending
    private JoinedRequest? _joined;     // while following, and until its answer
    private long _since = loop.Now;     // ms: the last answer, or the first byte of a head that is not whole
    private bool _isPartial;
    private bool _isPaused;             // the others have their turn first
    private bool _mayRead;              // there may be bytes to receive
    private bool _isPeerDone;

    private enum State : byte
    {
        New,
        Reading,
        Sending,

        /// <summary>Its request waits for an object that is being fetched.</summary>
        Following,

        /// <summary>Closed, or Kestrel's.</summary>
        Gone,
    }

    private string Id => _id ??= string.Create(CultureInfo.InvariantCulture, $"L{Interlocked.Increment(ref s_lastId):X}");

    /// <inheritdoc/>
    public override void Ready(Readiness readiness)
    {
        if ((readiness & (Readiness.Error | Readiness.HangUp)) != 0)
        {
            Close();
            return;
        }

        _isPeerDone |= (readiness & Readiness.PeerDone) != 0;
        _mayRead |= (readiness & (Readiness.Input | Readiness.PeerDone)) != 0;
        if (_state == State.Sending && (readiness & Readiness.Output) != 0)
        {
            GoOnSending();
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
                break;
            case State.Following:
                LookAgain();
                break;
            case State.Reading when _isPaused:
                _isPaused = false;
                Serve(hasUnserved: _restLength > 0);
                break;
            case State.Reading when listener.IsClosing:
                Close();
                break;
        }
    }

    /// <inheritdoc/>
    public override void Sweep(long now)
    {
        bool isOver = _state switch
        {
            State.Reading => now - _since > (_isPartial ? HitConnection.PartialHeadMs : HitConnection.IdleMs) || listener.IsClosing,
            State.Sending => _pending!.IsStuck(now),
            _ => false,
        };
        if (isOver || (listener.IsOver && _state != State.Gone))
        {
            Close();
        }
    }

    /// <inheritdoc/>
    public override void Fail() => Close();

    /// <summary>If it has waited long enough for its object, the request is Kestrel's.</summary>
    public void LosePatience()
    {
        if (_state == State.Following && loop.Now - _since >= JoinedRequest.PatienceMs)
        {
            Pass(_rest.AsSpan(0, _restLength));
        }
    }

    /// <summary>Serves the bytes at hand, and those that can be received.</summary>
    /// <param name="hasUnserved">What is left of the bytes received before may hold a whole request.</param>
    private void Serve(bool hasUnserved)
    {
        while (_state == State.Reading && !_isPaused && (hasUnserved || _mayRead))
        {
            Span<byte> input = loop.Input;
            int length = TakeRest(input);
            if (!hasUnserved)
            {
                int received = Epoll.Receive(Descriptor, input[length..]);
                if (received <= 0)
                {
                    KeepRest(input[..length]);
                    GotNothing(received);
                    continue;
                }

                _mayRead = received == input.Length - length || _isPeerDone;
                length += received;
            }

            hasUnserved = false;
            int served = Answer(input[..length]);
            if (_state != State.Gone)
            {
                KeepRest(input[served..length]);
                if (listener.IsClosing && _state == State.Reading && served == length)
                {
                    Close();
                }
            }
        }
    }

    private void GotNothing(int received)
    {
        switch (received)
        {
            case 0 when _restLength > 0:
                Pass(_rest.AsSpan(0, _restLength)); // a head that never becomes whole: Kestrel's to answer
                break;
            case -Again:
                _mayRead = false;
                break;
            case -Interrupted:
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
            if (hits == HitConnection.HitsPerTurn)
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
            else if (scan != HeadScan.Plain || !TryJoin(head))
            {
                Pass(bytes[at..]);
                return bytes.Length;
            }
        }

        return at;
    }

    private bool TryAnswer(in RequestHead head)
    {
        PendingSend send = loop.TakeSend();
        HitAnswer answer = responder.TryAnswer(head, Descriptor, client, Id, send, _joined);
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
        _joined = responder.TryJoin(head, client, Id);
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

    private void WaitForChange(JoinedRequest joined) => joined.Change().GetAwaiter().UnsafeOnCompleted(_wake ??= () => loop.Post(this));

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
        catch (Exception e) when (e is SocketException or IOException)
        {
            Close();
            return false;
        }

        loop.Return(_pending);
        _pending = null;
        _state = State.Reading;
        return true;
    }

    /// <summary>The connection is Kestrel's from here on, with these bytes at its beginning.</summary>
    private void Pass(ReadOnlySpan<byte> bytes)
    {
        byte[] early = bytes.ToArray();
        JoinedRequest? joined = _joined;
        _joined = null;
        Leave();
        listener.Pass(new PassedConnection(Descriptor, early, joined, _id, client));
    }

    private void Close()
    {
        if (_state == State.Gone)
        {
            return;
        }

        ForgetJoined();
        if (_pending is not null)
        {
            _pending.Abandon();
            loop.Return(_pending);
            _pending = null;
        }

        Leave();
        Epoll.Close(Descriptor);
        listener.Closed(client);
    }

    private void Leave()
    {
        _state = State.Gone;
        loop.Remove(this);
        DropRest();
    }

    private void ForgetJoined()
    {
        if (_joined is not null)
        {
            _ = _joined.DisposeAsync().AsTask();
            _joined = null;
        }
    }

    /// <summary>Puts what is left of earlier bytes at the beginning of the input. Returns its length.</summary>
    private int TakeRest(Span<byte> input)
    {
        int length = _restLength;
        _rest.AsSpan(0, length).CopyTo(input);
        return length;
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

/// <summary>What Kestrel gets of a connection that was a loop's.</summary>
/// <param name="Descriptor">The open, non-blocking socket; the receiver closes it.</param>
/// <param name="Early">Bytes received from it and not served.</param>
/// <param name="Joined">What was begun with the request at their beginning, or null.</param>
/// <param name="Id">The connection's identity, if anybody asked for it.</param>
/// <param name="Client">The client's address.</param>
internal sealed record PassedConnection(int Descriptor, byte[] Early, JoinedRequest? Joined, string? Id, IPAddress Client);

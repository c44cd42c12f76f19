using System.Buffers;
using Breakwater.Proxy.Listening;

namespace Breakwater.Proxy.EventLoops;

/// <summary>The bytes that a client sends: they are received, cut into requests, and each is answered or lent.</summary>
internal sealed partial class LoopConnection
{
    private byte[]? _rest;                  // from the pool: what was received and not dealt with
    private int _restLength;

    private ReadOnlySpan<byte> Rest => _rest.AsSpan(0, _restLength);

    /// <summary>Serves the bytes at hand, and those that can be received.</summary>
    /// <param name="hasUnserved">What is left of the bytes received before may hold a whole request.</param>
    private void Serve(bool hasUnserved)
    {
        for (int turn = 0; _state == State.Reading && !_isPaused && (hasUnserved || _mayRead); turn++)
        {
            if (turn == ReceivesPerTurn)
            {
                Rejoin();
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
            int served = ServeRequests(input[..length]);
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

    /// <summary>Goes on reading after the other connections had their turn.</summary>
    private void Rejoin()
    {
        _isPaused = true;
        loop.Post(this);
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
            case 0 when _restLength > 0 && _isUnnamed:
                RefuseProxyHeader();
                break;
            case 0 when _restLength > 0:
                // A head that never becomes whole: Kestrel answers it.
                _isForGood = true;
                Lend(Rest, default);
                DropRest();
                break;
            case -Again or -Interrupted:
                break;
            default:
                Close();
                break;
        }
    }

    /// <summary>
    /// Answers the requests in these bytes, or lends the first that is not answered here. Returns how many bytes are dealt with.
    /// </summary>
    private int ServeRequests(ReadOnlySpan<byte> bytes)
    {
        int at = 0;
        if (_isUnnamed)
        {
            at = TakeName(bytes);
            if (_isUnnamed || _state != State.Reading)
            {
                return at;
            }
        }

        bool wasPartial = _isPartial;
        _isPartial = false;
        for (int answers = 0; at < bytes.Length && _state == State.Reading; answers++)
        {
            if (answers == AnswersPerTurn)
            {
                Rejoin();
                return at;
            }

            HeadScan scan = RequestHead.Scan(bytes[at..], out RequestHead head);
            if (scan == HeadScan.Incomplete)
            {
                _since = wasPartial && at == 0 ? _since : loop.Now;
                _isPartial = true;
                return at;
            }

            NoteAsked();
            LoopAnswer? answer = null;
            FirstAnswer first = scan == HeadScan.Plain ? listener.Responder.Respond(head, this, out answer) : FirstAnswer.ForKestrel;
            switch (first)
            {
                case FirstAnswer.Sent:
                    _since = loop.Now;
                    at += head.Length;
                    break;
                case FirstAnswer.Answering:
                    at += BeginAnswer(answer!, head.Length);
                    break;
                default:
                    return at + LendFirst(scan, head.Length, bytes[at..]);
            }
        }

        return at;
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

using System.Net.Sockets;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Listening;

namespace Breakwater.Proxy.EventLoops;

/// <summary>The requests that are Kestrel's: how they come to it, and how the connection comes back.</summary>
internal sealed partial class LoopConnection
{
    private IBorrower? _borrower;           // Kestrel's side, once it was needed
    private bool _isForGood;                // lent for good
    private long _sentWhenWatched;          // bytes that Kestrel had sent when the watch began

    /// <summary>
    /// Lends the first request of these bytes to Kestrel, or all of them for good. Returns how many bytes Kestrel has got.
    /// </summary>
    /// <param name="scan">What the scan of the request said.</param>
    /// <param name="headLength">Length of the request's head, unless the scan found it doubtful.</param>
    /// <param name="bytes">The request and what came behind it.</param>
    private int LendFirst(HeadScan scan, int headLength, ReadOnlySpan<byte> bytes)
    {
        if (scan == HeadScan.Doubtful && ProxyHeader.Begins(bytes))
        {
            RefuseProxyHeader();
            return bytes.Length;
        }

        _isForGood = scan == HeadScan.Doubtful;
        if (_isForGood && _borrower is not null)
        {
            // It may be a CONNECT, which is looked for where a connection begins.
            _borrower.Detach();
            _borrower = null;
        }

        int length = _isForGood ? bytes.Length : headLength;
        Lend(bytes[..length], new BegunRequest(null, _isForGood ? 0 : listener.Timestamp));
        return length;
    }

    private void Lend(ReadOnlySpan<byte> bytes, BegunRequest begun)
    {
        bool isNew = _borrower is null || _borrower.IsOver;
        IBorrower borrower = isNew ? listener.Borrowers.Open(Descriptor, Id, _client, Wake) : _borrower!;
        _borrower = borrower;
        borrower.Announce(begun);
        _state = State.Lent;
        _watch.Rest();
        _since = loop.Now;
        if (!bytes.IsEmpty)
        {
            borrower.Give(bytes);
        }

        if (isNew)
        {
            listener.Borrowers.Offer(borrower);
        }

        listener.Release();
    }

    /// <summary>A client that only sends no more still waits for its answer: Kestrel must not take it for one that left.</summary>
    private void ReadyWhileLent(bool isGone, bool hasRoom)
    {
        if (isGone)
        {
            _borrower!.ClientLeft();
        }

        if (hasRoom)
        {
            _borrower!.HasRoom();
        }

        if (_isForGood && _mayRead && _borrower!.IsWaiting)
        {
            Feed();
        }
    }

    /// <summary>
    /// Does Kestrel wait for a client that takes nothing? Kestrel's own limit looks at the room that the kernel tells of, which on a large
    /// buffer and a slow line comes minutes apart. A tunnel's end may be silent for as long as any connection.
    /// </summary>
    private bool IsStuckWhileLent(long now)
    {
        if (!_borrower!.WaitsForRoom)
        {
            _watch.Rest();
            return false;
        }

        long patienceMs = _isForGood ? s_idleMs : listener.ClientTimeoutMs;
        long sent = _borrower.SentBytes;
        if (_watch.IsResting || sent != _sentWhenWatched)
        {
            _sentWhenWatched = sent;
            _watch.Expect(Descriptor, patienceMs);
            return false;
        }

        return _watch.IsStuck(now, Descriptor, patienceMs);
    }

    /// <summary>Kestrel waits for more, or is done.</summary>
    private void LookAtKestrel()
    {
        if (_borrower!.IsOver)
        {
            TakeBackForGood(_borrower.IsAborted);
        }
        else if (!_borrower.IsWaiting)
        {
            return;
        }
        else if (_isForGood)
        {
            _since = loop.Now;
            Feed();
        }
        else if (listener.TryHold())
        {
            _state = State.Reading;
            _since = loop.Now;
            Serve(hasUnserved: _restLength > 0);
        }
        else
        {
            _borrower.EndInput();
        }
    }

    /// <summary>Kestrel has ended the connection: it is closed, once the client has read what it was sent.</summary>
    private void TakeBackForGood(bool isAborted)
    {
        _borrower = null;
        if (isAborted)
        {
            CloseSocket();
            return;
        }

        _state = State.Lingering;
        _since = loop.Now;
        _mayRead |= _isPeerDone;
        Epoll.Shutdown(Descriptor, sendingOnly: true);
        Linger();
    }

    /// <summary>Gives Kestrel what has come, on a connection that it has for good.</summary>
    private void Feed()
    {
        while (_mayRead)
        {
            int received = Receive(loop.Input);
            if (received > 0)
            {
                _borrower!.Give(loop.Input[..received]);
                return;
            }

            if (received is not (-Again or -Interrupted))
            {
                _borrower!.EndInput();
                return;
            }
        }
    }

    /// <summary>Its head has not become whole in time. As Kestrel does: told, and then no more is said.</summary>
    private void RefuseLateHead() => SayLast(listener.Responder.RefuseLateHead(_client.Address));

    private void SayLast(byte[] answer)
    {
        try
        {
            SocketSender.Send(Descriptor, answer, hasMore: false);
        }
        catch (SocketException)
        {
            Close();
            return;
        }

        _borrower?.Detach();
        _borrower = null;
        DropRest();
        listener.Release(); // it holds up no stop
        _state = State.Lingering;
        _since = loop.Now;
        _mayRead = true;
        Epoll.Shutdown(Descriptor, sendingOnly: true);
        Linger();
    }

    private void Linger()
    {
        for (int turn = 0; _mayRead; turn++)
        {
            if (turn == ReceivesPerTurn)
            {
                loop.Post(this);
                return;
            }

            int received = Receive(loop.Input);
            if (received <= 0 && received is not (-Again or -Interrupted))
            {
                CloseSocket();
                return;
            }
        }
    }
}

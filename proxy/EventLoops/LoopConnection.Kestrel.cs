using Breakwater.Proxy.Listening;
namespace Breakwater.Proxy.EventLoops;

/// <summary>The requests that are Kestrel's: how they come to it, and how the connection comes back.</summary>
internal sealed partial class LoopConnection
{
    /// <summary>
    /// Lends the first request of these bytes to Kestrel, or all of them for good. Returns how many bytes Kestrel has got.
    /// </summary>
    private int LendFirst(ReadOnlySpan<byte> bytes)
    {
        _isForGood = RequestHead.Scan(bytes, out RequestHead head) == HeadScan.Doubtful;
        if (_isForGood && _ordinary is not null)
        {
            // It may be a CONNECT, which is looked for where a connection begins.
            _ordinary.Detach();
            _ordinary = null;
        }

        int length = _isForGood ? bytes.Length : head.Length;
        Lend(bytes[..length]);
        return length;
    }

    private void Lend(ReadOnlySpan<byte> bytes)
    {
        bool isNew = _ordinary is null || _ordinary.IsOver;
        _ordinary = !isNew ? _ordinary! : new OrdinaryConnection(Descriptor, Id, Epoll.LocalEndPoint(Descriptor), client, Wake);
        _ordinary.Hand(_joined, _joined?.StartedAt ?? (_isForGood ? 0 : responder.Now));
        _joined = null;
        _state = State.Lent;
        _since = loop.Now;
        if (!bytes.IsEmpty)
        {
            _ordinary.Input.Give(bytes);
        }

        listener.Lent(isNew ? _ordinary : null);
    }

    /// <summary>A client that only sends no more still waits for its answer: Kestrel must not take it for one that left.</summary>
    private void ReadyWhileLent(bool isGone, bool hasRoom)
    {
        if (isGone)
        {
            _ordinary!.ClientLeft();
        }

        if (hasRoom)
        {
            _ordinary!.HasRoom();
        }

        if (_isForGood && _mayRead && _ordinary!.Input.IsWaiting)
        {
            Feed();
        }
    }

    /// <summary>Kestrel waits for more, or is done.</summary>
    private void LookAtKestrel()
    {
        if (_ordinary!.IsOver)
        {
            bool isAborted = _ordinary.IsAborted;
            _ordinary = null;
            if (isAborted)
            {
                CloseSocket();
            }
            else
            {
                _state = State.Lingering;
                _since = loop.Now;
                _mayRead |= _isPeerDone;
                Epoll.Shutdown(Descriptor, sendingOnly: true);
                Linger();
            }
        }
        else if (!_ordinary.Input.IsWaiting)
        {
            return;
        }
        else if (_isForGood)
        {
            _since = loop.Now;
            Feed();
        }
        else if (listener.TryTakeBack())
        {
            _state = State.Reading;
            _since = loop.Now;
            Serve(hasUnserved: _restLength > 0);
        }
        else
        {
            _ordinary.Input.End();
        }
    }

    /// <summary>Gives Kestrel what has come, on a connection that it has for good.</summary>
    private void Feed()
    {
        while (_mayRead)
        {
            int received = Receive(loop.Input);
            if (received > 0)
            {
                _ordinary!.Input.Give(loop.Input[..received]);
                return;
            }

            if (received is not (-Again or -Interrupted))
            {
                _ordinary!.Input.End();
                return;
            }
        }
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

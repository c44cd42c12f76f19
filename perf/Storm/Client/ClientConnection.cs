using System.Net;
using System.Runtime.InteropServices;
using Breakwater.Laboratory.Client;
using Breakwater.Laboratory.Net;

namespace Breakwater.Storm.Client;

/// <summary>One HTTP/1.1 connection that carries one request at a time. Loop thread only.</summary>
internal sealed unsafe class ClientConnection : Endpoint
{
    /// <summary>
    /// The first read takes a head and, in drop mode, a small body at once; the rest of a bigger one is dropped without a copy.
    /// </summary>
    private const int FirstReadBytes = 16 * 1024;

    private readonly EventLoop _loop;
    private readonly IExchangeOwner _owner;
    private readonly BodyCheck? _check;
    private readonly ChunkedBody _chunks = new();
    private byte[]? _partialHead;
    private PreparedRequest? _request;
    private int _requestSent;
    private bool _connecting, _inBody, _waitsForRoom, _busy;
    private long _remaining;
    private ResponseHead _head;

    /// <summary>Connects at once.</summary>
    /// <param name="loop">Where it lives.</param>
    /// <param name="owner">Who is told.</param>
    /// <param name="target">Where to.</param>
    /// <param name="source">From which address; null leaves it to the kernel.</param>
    /// <param name="mode">What happens to bodies.</param>
    public ClientConnection(EventLoop loop, IExchangeOwner owner, IPEndPoint target, IPAddress? source, BodyMode mode)
    {
        (_loop, _owner) = (loop, owner);
        _check = mode == BodyMode.Check ? new BodyCheck() : null;
        Fd = Native.Connect(target, source);
        if (Fd >= 0)
        {
            _connecting = true;
            loop.Add(this, Native.EpollIn | Native.EpollOut);
        }
    }

    /// <summary>No socket any more.</summary>
    public bool IsClosed => Fd < 0;

    /// <summary>A request is on its way.</summary>
    public bool IsBusy => _busy;

    /// <summary>What is, or was last, asked for.</summary>
    public PreparedRequest Request => _request!;

    /// <summary>The last answer's status; 0 before its head.</summary>
    public int Status => _head.Status;

    /// <summary>Body bytes of the running or last exchange.</summary>
    public long BodyBytes { get; private set; }

    /// <summary>When the request was handed to this connection.</summary>
    public long StartUs { get; private set; }

    /// <summary>From the request to the first byte of the answer, in µs; 0 before it.</summary>
    public long FirstByteUs { get; private set; }

    /// <summary>The owner's notes on the pace of this exchange.</summary>
    public SpeedWatch Speed { get; } = new();

    /// <summary>
    /// Sends a request; the owner hears of its end. A connection that could not even be begun fails from the loop, not from here.
    /// </summary>
    public void Start(PreparedRequest request)
    {
        _request = request;
        _requestSent = 0;
        _busy = true;
        _inBody = false;
        _head = default;
        BodyBytes = FirstByteUs = 0;
        StartUs = EventLoop.ClockUs();
        Speed.Begin(StartUs);
        if (IsClosed)
        {
            _loop.After(0, () => End(Failure.NoConnection));
        }
        else if (!_connecting)
        {
            Send();
        }
    }

    /// <summary>Gives the exchange up for that reason: closes, and tells the owner.</summary>
    public void Abandon(Failure failure) => End(failure);

    /// <summary>Closes without a word.</summary>
    public void Close()
    {
        _busy = false;
        if (Fd >= 0)
        {
            _loop.Remove(this);
            _ = Native.Close(Fd);
            Fd = -1;
            _check?.Dispose();
        }
    }

    /// <inheritdoc/>
    public override void OnReady(uint events)
    {
        if (_connecting)
        {
            if (Native.SocketError(Fd) != 0)
            {
                Fail(Failure.NoConnection);
                return;
            }

            if ((events & Native.EpollOut) == 0)
            {
                return;
            }

            _connecting = false;
            _loop.Modify(this, Native.EpollIn);
            if (_busy)
            {
                Send();
            }

            return;
        }

        if ((events & Native.EpollOut) != 0 && _waitsForRoom)
        {
            Send();
        }

        if (Fd >= 0 && (events & ~Native.EpollOut) != 0)
        {
            Receive();
        }
    }

    private void Send()
    {
        PreparedRequest request = _request!;
        nint sent = Native.Send(Fd, request.Pointer + _requestSent, request.Length - _requestSent, Native.MsgNoSignal);
        if (sent < 0 && Marshal.GetLastPInvokeError() != Native.EAgain)
        {
            // From the loop: an owner that starts a request must not be called back out of Start.
            _loop.After(0, () => End(Failure.Broken));
            return;
        }

        _requestSent += (int)Math.Max(0, sent);
        bool wait = _requestSent < request.Length;
        if (wait != _waitsForRoom)
        {
            _waitsForRoom = wait;
            _loop.Modify(this, wait ? Native.EpollIn | Native.EpollOut : Native.EpollIn);
        }
    }

    private void Receive()
    {
        if (_inBody && _check is null && !_head.IsChunked)
        {
            nint dropped = Native.Receive(Fd, _loop.Buffer, (nint)Math.Min(_remaining, int.MaxValue), Native.MsgTrunc);
            if (Arrived(dropped))
            {
                Body(default, dropped);
            }

            return;
        }

        int held = 0;
        if (_partialHead is not null)
        {
            held = _partialHead.Length;
            _partialHead.CopyTo(new Span<byte>(_loop.Buffer, held));
            _partialHead = null;
        }

        int room = _check is null && !_inBody ? FirstReadBytes : EventLoop.BufferSizeBytes - held;
        nint read = Native.Receive(Fd, _loop.Buffer + held, room, 0);
        if (!Arrived(read))
        {
            return;
        }

        var bytes = new ReadOnlySpan<byte>(_loop.Buffer, held + (int)read);
        if (_inBody)
        {
            Body(bytes, bytes.Length);
        }
        else
        {
            Head(bytes);
        }
    }

    /// <summary>False when nothing came: not yet, or never again, which has been dealt with.</summary>
    private bool Arrived(nint read)
    {
        if (read > 0)
        {
            return true;
        }

        if (read < 0 && Marshal.GetLastPInvokeError() == Native.EAgain)
        {
            return false;
        }

        if (read == 0 && _inBody && !_head.IsChunked && _head.ContentLength == ResponseHead.Unknown)
        {
            Complete();
        }
        else
        {
            Fail(Failure.Broken);
        }

        return false;
    }

    private void Head(ReadOnlySpan<byte> bytes)
    {
        if (!_busy)
        {
            Fail(Failure.NotHttp);
            return;
        }

        if (FirstByteUs == 0)
        {
            FirstByteUs = Math.Max(1, EventLoop.ClockUs() - StartUs);
        }

        int end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0 && bytes.Length < FirstReadBytes && "HTTP/1."u8.StartsWith(bytes[..Math.Min(7, bytes.Length)]))
        {
            _partialHead = bytes.ToArray();
            return;
        }

        if (end < 0 || !ResponseHead.TryParse(bytes[..end], out _head))
        {
            Fail(Failure.NotHttp);
            return;
        }

        Failure refusal = ClientRules.Of(_head);
        if (refusal != Failure.None)
        {
            Fail(refusal);
            return;
        }

        _inBody = true;
        _remaining = _head.ContentLength == ResponseHead.Unknown ? long.MaxValue : _head.ContentLength;
        _chunks.Begin();
        _check?.Begin(_request!.Expected);
        bytes = bytes[(end + 4)..];
        Body(bytes, bytes.Length);
    }

    private void Body(ReadOnlySpan<byte> bytes, nint count)
    {
        Speed.Bytes += count;
        if (_head.IsChunked)
        {
            if (!_chunks.Feed(bytes, out long payload, _check))
            {
                Fail(Failure.Broken);
                return;
            }

            BodyBytes += payload;
            if (_chunks.IsDone)
            {
                Complete();
            }

            return;
        }

        if (count > _remaining)
        {
            Fail(Failure.NotHttp);
            return;
        }

        _check?.Append(bytes);
        _remaining -= count;
        BodyBytes += count;
        if (_remaining == 0)
        {
            Complete();
        }
    }

    private void Complete()
    {
        if (_check is not null && !_check.Finish())
        {
            Fail(_request!.Expected.Kind == ExpectationKind.SelfHash ? Failure.WrongDocument : Failure.WrongBody);
            return;
        }

        _busy = false;
        _inBody = false;
        if (_head.Closes || _head is { ContentLength: ResponseHead.Unknown, IsChunked: false })
        {
            Close();
        }

        _owner.OnEnded(this, Failure.None);
    }

    private void Fail(Failure failure)
    {
        bool wasBusy = _busy;
        Close();
        if (wasBusy)
        {
            _owner.OnEnded(this, failure);
        }
    }

    private void End(Failure failure)
    {
        if (_busy)
        {
            Fail(failure);
        }
    }
}

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Breakwater.Laboratory.Client;
using Breakwater.Laboratory.Net;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>
/// One of a VM's connections to the proxy, cheap enough for thousands: a socket and one buffer. One request at a time; the
/// <see cref="StallWatch"/> may cut it from another thread.
/// </summary>
internal sealed class VmConnection(EndPoint proxy, IPAddress? source, PhaseTally tally) : IDisposable
{
    private readonly byte[] _buffer = new byte[16 * 1024];
    private readonly ChunkedBody _chunks = new();
    private readonly BodyCheck _check = new();
    private readonly SpeedWatch _speed = new(); // guarded by itself
    private bool _isBusy; // guarded by _speed
    private Socket? _socket;
    private int _start;
    private int _end;
    private bool _sawByte;
    private volatile bool _isCut;

    /// <summary>The status of the last answer, 0 when there was none: for messages.</summary>
    public int LastStatus { get; private set; }

    /// <summary>Why the proxy failed, for messages.</summary>
    public string LastFailure { get; private set; } = "";

    /// <summary>Looked at once a second, from another thread: a request that has become too slow ends as a failure of the proxy.</summary>
    public void Look(long nowUs)
    {
        lock (_speed)
        {
            if (!_isBusy || !_speed.IsTooSlow(nowUs))
            {
                return;
            }
        }

        _isCut = true;
        _socket?.Dispose();
    }

    /// <summary>Sends a request and checks the answer against the right bytes.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="host">Index of the server named in the URL.</param>
    /// <param name="noCache">The second try after a wrong body.</param>
    public async Task<Failure> FetchAsync(BootRequest request, int host, bool noCache)
    {
        LastStatus = 0;
        long start = Stopwatch.GetTimestamp();
        Watch(isBusy: true);
        Failure failure;
        try
        {
            bool isReused = _socket is not null;
            try
            {
                failure = await ExchangeAsync(request, request.Wire(host, noCache), start);
            }
            catch (Exception e) when (isReused && !_sawByte && !_isCut && e is SocketException or ConnectionEndedException)
            {
                // A connection that the server closed while it was idle: libcurl sends the request again on a new one.
                Close();
                failure = await ExchangeAsync(request, request.Wire(host, noCache), start);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or ConnectionEndedException)
        {
            LastFailure = _isCut ? "no or too few bytes for 5 s" : e.Message;
            failure = _isCut ? Failure.TooSlow : Failure.Broken;
        }

        Watch(isBusy: false);
        if (failure != Failure.None)
        {
            Close();
        }

        return failure;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        _check.Dispose();
    }

    private void Watch(bool isBusy)
    {
        lock (_speed)
        {
            _isBusy = isBusy;
            _speed.Begin(EventLoop.ClockUs());
        }
    }

    private void Close()
    {
        _socket?.Dispose();
        _socket = null;
        _start = _end = 0;
    }

    private async Task<Failure> ExchangeAsync(BootRequest request, ReadOnlyMemory<byte> wire, long start)
    {
        _sawByte = false;
        if (_socket is null)
        {
            Socket socket = new(proxy.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            _socket = socket;
            if (source is not null)
            {
                socket.Bind(new IPEndPoint(source, 0));
            }

            await socket.ConnectAsync(proxy);
        }

        while (wire.Length > 0)
        {
            wire = wire[await _socket.SendAsync(wire, SocketFlags.None)..];
        }

        await ReceiveAsync();
        tally.FirstByte(Stopwatch.GetElapsedTime(start));
        int headLength;
        while ((headLength = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (_end - _start >= 8 && !_buffer.AsSpan(_start).StartsWith("HTTP/1."u8))
            {
                return Failure.NotHttp;
            }

            await ReceiveAsync();
        }

        if (!ResponseHead.TryParse(_buffer.AsSpan(_start, headLength), out ResponseHead head))
        {
            return Failure.NotHttp;
        }

        _start += headLength + 4;
        LastStatus = head.Status;
        Failure refusal = ClientRules.Of(head);
        return refusal == Failure.None ? await CheckBodyAsync(request, head) : refusal;
    }

    private async Task<Failure> CheckBodyAsync(BootRequest request, ResponseHead head)
    {
        bool endsWithConnection = head is { ContentLength: ResponseHead.Unknown, IsChunked: false };
        long left = head.ContentLength == ResponseHead.Unknown ? long.MaxValue : head.ContentLength;
        _chunks.Begin();
        _check.Begin(request.Expectation);
        while (head.IsChunked ? !_chunks.IsDone : left > 0)
        {
            if (_start == _end && !await TryReceiveAsync())
            {
                if (endsWithConnection)
                {
                    break;
                }

                throw new ConnectionEndedException("the connection was closed");
            }

            ReadOnlySpan<byte> bytes = _buffer.AsSpan(_start, (int)Math.Min(left, _end - _start));
            _start += bytes.Length;
            if (!head.IsChunked)
            {
                left -= bytes.Length;
                _check.Append(bytes);
            }
            else if (!_chunks.Feed(bytes, out _, _check))
            {
                throw new ConnectionEndedException("a broken chunk");
            }
        }

        if (head.Closes || endsWithConnection)
        {
            Close();
        }

        return _check.Finish() ? Failure.None : request.IsObject ? Failure.WrongBody : Failure.WrongDocument;
    }

    private async Task ReceiveAsync()
    {
        if (!await TryReceiveAsync())
        {
            throw new ConnectionEndedException("the connection was closed");
        }
    }

    /// <summary>More bytes; false: the other side has closed the connection.</summary>
    private async Task<bool> TryReceiveAsync()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            throw new ConnectionEndedException("a line of the answer longer than the client's buffer");
        }

        int read = await _socket!.ReceiveAsync(_buffer.AsMemory(_end), SocketFlags.None);
        if (read == 0)
        {
            return false;
        }

        _sawByte = true;
        _end += read;
        lock (_speed)
        {
            _speed.Bytes += read;
        }

        tally.Bytes(read);
        return true;
    }

    private sealed class ConnectionEndedException(string message) : Exception(message);
}

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>
/// One of a VM's connections to the proxy, cheap enough for thousands: a socket and one buffer. One request at a time; the
/// <see cref="StallWatch"/> may cut it from another thread.
/// </summary>
internal sealed class VmConnection(EndPoint proxy, IPAddress? source, PhaseTally tally) : IDisposable
{
    private readonly byte[] _buffer = new byte[16 * 1024];
    private Socket? _socket;
    private ObjectHasher? _hasher;
    private BootRequest _request = null!;
    private long _startedAt; // Stopwatch ticks, 0: idle. Written here, read by the watch.
    private long _received; // Bytes since the connection object was made. Written here, read by the watch.
    private int _start;
    private int _end;
    private bool _sawByte;
    private long _bodyBytes;
    private bool _isSame;
    private volatile bool _isCut;

    /// <summary>When the running request began, in <see cref="Stopwatch"/> ticks; 0: none is running.</summary>
    public long StartedAt => Volatile.Read(ref _startedAt);

    /// <summary>Bytes received so far.</summary>
    public long Received => Volatile.Read(ref _received);

    /// <summary>The status of the last answer, 0 when there was none: for messages.</summary>
    public int LastStatus { get; private set; }

    /// <summary>Why the proxy failed, for messages.</summary>
    public string LastFailure { get; private set; } = "";

    /// <summary>Used by the watch alone.</summary>
    public long[] Window { get; } = new long[StallWatch.WindowTicks];

    /// <summary>The watch's verdict: too slow. The running request ends as <see cref="FetchEnd.ProxyFailed"/>.</summary>
    public void Cut()
    {
        _isCut = true;
        _socket?.Dispose();
    }

    /// <summary>Sends a request and checks the answer against the right bytes.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="host">Index of the server named in the URL.</param>
    /// <param name="noCache">The second try after a wrong body.</param>
    public async Task<FetchEnd> FetchAsync(BootRequest request, int host, bool noCache)
    {
        _request = request;
        LastStatus = 0;
        long start = Stopwatch.GetTimestamp();
        Volatile.Write(ref _startedAt, start);
        FetchEnd end;
        try
        {
            bool isReused = _socket is not null;
            try
            {
                end = await ExchangeAsync(request.Wire(host, noCache), start);
            }
            catch (Exception e) when (isReused && !_sawByte && !_isCut && e is SocketException or ConnectionEndedException)
            {
                // A connection that the server closed while it was idle: libcurl sends the request again on a new one.
                Close();
                end = await ExchangeAsync(request.Wire(host, noCache), start);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or ConnectionEndedException)
        {
            LastFailure = _isCut ? "no or too few bytes for 5 s" : e.Message;
            end = FetchEnd.ProxyFailed;
        }

        Volatile.Write(ref _startedAt, 0);
        if (end != FetchEnd.Right)
        {
            Close();
        }

        return end;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        _hasher?.Dispose();
    }

    private void Close()
    {
        _socket?.Dispose();
        _socket = null;
        _start = _end = 0;
    }

    private async Task<FetchEnd> ExchangeAsync(byte[] wire, long start)
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

        for (int sent = 0; sent < wire.Length;)
        {
            sent += await _socket.SendAsync(wire.AsMemory(sent), SocketFlags.None);
        }

        await ReceiveAsync();
        tally.FirstByte(Stopwatch.GetElapsedTime(start));
        int headLength;
        while ((headLength = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (_end - _start >= 8 && !_buffer.AsSpan(_start).StartsWith("HTTP/1."u8))
            {
                return FetchEnd.IoError;
            }

            await ReceiveAsync();
        }

        AnswerHead head = AnswerHead.Parse(_buffer.AsSpan(_start, headLength + 2));
        _start += headLength + 4;
        LastStatus = head.Status;
        return head.Status switch
        {
            200 => await CheckBodyAsync(head),
            204 => FetchEnd.WrongBody,
            400 or 404 or 429 or >= 500 => FetchEnd.HostFailed,
            < 200 or 301 or 302 or 303 or 307 => FetchEnd.IoError,
            _ => FetchEnd.ProxyFailed,
        };
    }

    private async Task<FetchEnd> CheckBodyAsync(AnswerHead head)
    {
        _bodyBytes = 0;
        _isSame = !head.HasContentCoding;
        if (head.IsChunked)
        {
            await ReadChunksAsync();
        }
        else if (head.ContentLength >= 0)
        {
            await TakeBodyAsync(head.ContentLength);
        }
        else
        {
            await ReadToEndAsync();
        }

        bool isRight = _isSame && _bodyBytes == _request.Expected.Length;
        if (_request.IsObject)
        {
            _hasher ??= ObjectHasher.Create(DigestAlgorithm.Sha1);
            isRight = _hasher.FinishMatches(_request.Key) && !head.HasContentCoding;
        }

        if (head.Closes)
        {
            Close();
        }

        return isRight ? FetchEnd.Right : FetchEnd.WrongBody;
    }

    /// <summary>An object is hashed, a document compared.</summary>
    private void Consume(ReadOnlySpan<byte> bytes)
    {
        if (_request.IsObject)
        {
            _hasher ??= ObjectHasher.Create(_request.Key.Algorithm);
            _hasher.Append(bytes);
        }
        else
        {
            ReadOnlySpan<byte> expected = _request.Expected.AsSpan((int)Math.Min(_bodyBytes, _request.Expected.Length));
            _isSame &= expected.Length >= bytes.Length && expected[..bytes.Length].SequenceEqual(bytes);
        }

        _bodyBytes += bytes.Length;
    }

    private async Task TakeBodyAsync(long count)
    {
        while (count > 0)
        {
            if (_start == _end)
            {
                await ReceiveAsync();
            }

            int piece = (int)Math.Min(count, _end - _start);
            Consume(_buffer.AsSpan(_start, piece));
            _start += piece;
            count -= piece;
        }
    }

    private async Task ReadChunksAsync()
    {
        long size;
        do
        {
            int lineLength = await FindLineAsync();
            size = AnswerHead.ParseChunkSize(_buffer.AsSpan(_start, lineLength));
            _start += lineLength + 2;
            await TakeBodyAsync(size);
            while (size == 0 && (lineLength = await FindLineAsync()) > 0)
            {
                _start += lineLength + 2; // A trailer.
            }

            if (await FindLineAsync() != 0)
            {
                throw new ConnectionEndedException("a broken chunk");
            }

            _start += 2;
        }
        while (size > 0);
    }

    private async Task<int> FindLineAsync()
    {
        int length;
        while ((length = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8)) < 0)
        {
            await ReceiveAsync();
        }

        return length;
    }

    private async Task ReadToEndAsync()
    {
        try
        {
            while (true)
            {
                await TakeBodyAsync(Math.Max(1, _end - _start));
            }
        }
        catch (ConnectionEndedException)
        {
            Close();
        }
    }

    private async Task ReceiveAsync()
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
            throw new ConnectionEndedException("the connection was closed");
        }

        _sawByte = true;
        _end += read;
        Volatile.Write(ref _received, _received + read);
        tally.Bytes(read);
    }

    private sealed class ConnectionEndedException(string message) : Exception(message);

    /// <summary>What the client needs of an answer's head.</summary>
    private readonly record struct AnswerHead(int Status, long ContentLength, bool IsChunked, bool HasContentCoding, bool Closes)
    {
        /// <summary>Parses a head: its lines, each with its line end.</summary>
        public static AnswerHead Parse(ReadOnlySpan<byte> head)
        {
            int lineEnd = head.IndexOf("\r\n"u8);
            ReadOnlySpan<byte> status = head[..lineEnd];
            AnswerHead result =
                new(status.Length >= 12 && int.TryParse(status.Slice(9, 3), out int code) ? code : 0, -1, false, false, false);
            for (ReadOnlySpan<byte> rest = head[(lineEnd + 2)..]; (lineEnd = rest.IndexOf("\r\n"u8)) >= 0; rest = rest[(lineEnd + 2)..])
            {
                ReadOnlySpan<byte> line = rest[..lineEnd];
                int colon = line.IndexOf((byte)':');
                if (colon > 0)
                {
                    result = result.With(line[..colon], line[(colon + 1)..].Trim((byte)' '));
                }
            }

            return result;
        }

        /// <summary>The size at the start of a chunk.</summary>
        public static long ParseChunkSize(ReadOnlySpan<byte> line)
        {
            int extension = line.IndexOf((byte)';');
            return long.TryParse(extension < 0 ? line : line[..extension], System.Globalization.NumberStyles.AllowHexSpecifier, null,
                out long size)
                ? size
                : throw new ConnectionEndedException("a broken chunk");
        }

        private AnswerHead With(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        {
            if (Ascii.EqualsIgnoreCase(name, "content-length"u8))
            {
                return this with { ContentLength = long.TryParse(value, out long length) ? length : -1 };
            }

            if (Ascii.EqualsIgnoreCase(name, "transfer-encoding"u8))
            {
                return this with { IsChunked = Ascii.EqualsIgnoreCase(value, "chunked"u8) };
            }

            if (Ascii.EqualsIgnoreCase(name, "content-encoding"u8))
            {
                return this with { HasContentCoding = true };
            }

            return Ascii.EqualsIgnoreCase(name, "connection"u8) ? this with { Closes = Ascii.EqualsIgnoreCase(value, "close"u8) } : this;
        }
    }
}

using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Breakwater.TestSupport;

/// <summary>
/// One HTTP/1.1 connection that sends exactly the bytes it is given and reads exactly what comes: head and body apart, so that a test
/// can stop in between. One request at a time; not thread-safe. A server that neither sends nor takes a byte for
/// <see cref="Waiting.Hang"/> fails the call: <see cref="TimeoutException"/>.
/// </summary>
public sealed class RawHttpClient : IDisposable
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly Socket _socket;
    private int _start;
    private int _end;

    private RawHttpClient(Socket socket) => _socket = socket;

    /// <summary>The connection, for tests that want to do worse.</summary>
    public Socket Socket => _socket;

    /// <summary>Did the connection end with a reset (RST), not in order?</summary>
    public bool WasReset { get; private set; }

    /// <summary>Connects.</summary>
    public static Task<RawHttpClient> ConnectAsync(EndPoint server, CancellationToken cancellationToken = default) =>
        ConnectFromAsync(null, server, cancellationToken);

    /// <summary>Connects from an address of this machine, such as 127.0.0.9; null: any.</summary>
    public static async Task<RawHttpClient> ConnectFromAsync(IPAddress? from, EndPoint server,
        CancellationToken cancellationToken = default)
    {
        Socket socket = new(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (from is not null)
            {
                socket.Bind(new IPEndPoint(from, 0));
            }

            await socket.ConnectAsync(server, cancellationToken).AsTask().InTimeAsync(what: "a connection");
            return new RawHttpClient(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Connects with segments as short as on a network, where loopback has 64 KiB: a server's socket then takes 40 KB at a time, not
    /// megabytes.
    /// </summary>
    public static async Task<RawHttpClient> ConnectShortAsync(EndPoint server, CancellationToken cancellationToken = default)
    {
        const int Tcp = 6;
        const int MaxSegment = 2;
        Socket socket = new(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.SetRawSocketOption(Tcp, MaxSegment, BitConverter.GetBytes(1000));
        await socket.ConnectAsync(server, cancellationToken).AsTask().InTimeAsync(what: "a connection");
        return new RawHttpClient(socket);
    }

    /// <summary>One GET on a new connection, all of its answer.</summary>
    /// <param name="server">The proxy or server.</param>
    /// <param name="target">A URL (<c>http://s1/cvmfs/…</c>, forward form) or a path (origin-form).</param>
    /// <param name="headers">Further header lines, without line ends.</param>
    public static async Task<RawResponse> GetOnceAsync(EndPoint server, string target, params string[] headers)
    {
        using RawHttpClient client = await ConnectAsync(server);
        return await client.GetAsync(target, headers);
    }

    /// <summary>
    /// The bytes of a request as the CernVM-FS client sends it (libcurl's order), in forward form when the target is a URL, else in
    /// origin-form for <c>Host: localhost</c>.
    /// </summary>
    public static byte[] Request(string method, string target, params IReadOnlyList<string> headers)
    {
        bool isForward = target.StartsWith("http://", StringComparison.Ordinal) || target.StartsWith("https://", StringComparison.Ordinal);
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"{method} {target} HTTP/1.1\r\n");
        text.Append("Host: ").Append(isForward ? new Uri(target).Authority : "localhost").Append("\r\nAccept: */*\r\n");
        text.Append(isForward ? "Proxy-Connection: Keep-Alive\r\n" : "").Append("Connection: Keep-Alive\r\n");
        text.Append(headers.Any(static h => h.StartsWith("User-Agent:", StringComparison.Ordinal))
            ? ""
            : "User-Agent: cvmfs Fuse 2.11.5\r\n");
        foreach (string header in headers)
        {
            text.Append(header).Append("\r\n");
        }

        return Encoding.Latin1.GetBytes(text.Append("\r\n").ToString());
    }

    /// <summary>GET and the whole answer.</summary>
    public async Task<RawResponse> GetAsync(string target, params string[] headers)
    {
        await SendAsync(Request("GET", target, headers));
        return await ReadResponseAsync();
    }

    /// <summary>HEAD and its answer.</summary>
    public async Task<RawResponse> HeadAsync(string target, params string[] headers)
    {
        await SendAsync(Request("HEAD", target, headers));
        return await ReadResponseAsync(isHead: true);
    }

    /// <summary>Sends bytes.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken = default)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await _socket.SendAsync(bytes, SocketFlags.None, cancellationToken)
                .InTimeAsync(what: "the server to take bytes")..];
        }
    }

    /// <summary>Sends text as Latin-1.</summary>
    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Reads one head (an informational one as well) and nothing of the body.</summary>
    /// <exception cref="EndOfStreamException">The connection ended before the head did.</exception>
    public async Task<RawResponseHead> ReadHeadAsync(CancellationToken cancellationToken = default)
    {
        int length;
        while ((length = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (!await FillAsync(cancellationToken))
            {
                string got = Encoding.Latin1.GetString(_buffer, _start, _end - _start);
                throw new EndOfStreamException($"The connection ended before a whole head; got {_end - _start} bytes: '{got}'.");
            }
        }

        string text = Encoding.Latin1.GetString(_buffer, _start, length);
        _start += length + 4;
        return RawResponseHead.Parse(text);
    }

    /// <summary>Reads the head and all of the body, by Content-Length, chunks, or the end of the connection.</summary>
    /// <param name="isHead">The answer to a HEAD: no body follows.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<RawResponse> ReadResponseAsync(bool isHead = false, CancellationToken cancellationToken = default)
    {
        RawResponseHead head = await ReadHeadAsync(cancellationToken);
        if (isHead || head.Status is 204 or 304 or (>= 100 and < 200))
        {
            return new RawResponse(head, [], true);
        }

        (byte[] body, bool isComplete) = await ReadBodyAsync(head, cancellationToken);
        return new RawResponse(head, body, isComplete);
    }

    /// <summary>Reads the body that follows a head. Not complete: the connection ended before the body's framing did.</summary>
    public async Task<(byte[] Body, bool IsComplete)> ReadBodyAsync(RawResponseHead head, CancellationToken cancellationToken = default)
    {
        using MemoryStream body = new();
        if (head.IsChunked)
        {
            bool endSeen = await ReadChunksAsync(body, cancellationToken);
            return (body.ToArray(), endSeen);
        }

        if (head.ContentLength is { } length)
        {
            bool complete = await CopyAsync(body, length, cancellationToken);
            return (body.ToArray(), complete);
        }

        await CopyAsync(body, long.MaxValue, cancellationToken);
        return (body.ToArray(), true);
    }

    /// <summary>Reads at least one and at most so many raw bytes that follow; 0 when the connection has ended.</summary>
    public async Task<int> ReadSomeAsync(Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        if (_start == _end && !await FillAsync(cancellationToken))
        {
            return 0;
        }

        int count = Math.Min(destination.Length, _end - _start);
        _buffer.AsMemory(_start, count).CopyTo(destination);
        _start += count;
        return count;
    }

    /// <summary>Reads exactly so many raw bytes that follow.</summary>
    /// <exception cref="EndOfStreamException">The connection ended before.</exception>
    public async Task<byte[]> ReadExactlyAsync(int count, CancellationToken cancellationToken = default)
    {
        byte[] bytes = new byte[count];
        for (int got = 0; got < count;)
        {
            int read = await ReadSomeAsync(bytes.AsMemory(got), cancellationToken);
            got += read > 0 ? read : throw new EndOfStreamException($"The connection ended after {got} of {count} bytes.");
        }

        return bytes;
    }

    /// <summary>
    /// Returns when the kernel holds bytes for this client and has been given no more for a while: the server waits, as a test wants it to.
    /// </summary>
    public async Task SettledAsync()
    {
        int before = 0;
        await Waiting.UntilAsync(async () =>
        {
            await Task.Delay(100);
            (int last, before) = (before, _socket.Available);
            return before > 0 && before == last;
        });
    }

    /// <summary>True when the server has closed the connection and nothing more came; false when a byte came.</summary>
    public async Task<bool> IsClosedByServerAsync(CancellationToken cancellationToken = default) =>
        await ReadSomeAsync(new byte[1], cancellationToken) == 0;

    /// <summary>Leaves rudely: RST instead of FIN.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private async Task<bool> ReadChunksAsync(MemoryStream body, CancellationToken cancellationToken)
    {
        while (true)
        {
            string? line = await ReadLineAsync(cancellationToken);
            if (line is null)
            {
                return false;
            }

            long size = long.Parse(line.Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (size == 0)
            {
                while (await ReadLineAsync(cancellationToken) is { } trailer)
                {
                    if (trailer.Length == 0)
                    {
                        return true;
                    }
                }

                return false;
            }

            if (!await CopyAsync(body, size, cancellationToken) || await ReadLineAsync(cancellationToken) is null)
            {
                return false;
            }
        }
    }

    private async Task<string?> ReadLineAsync(CancellationToken cancellationToken)
    {
        int length;
        while ((length = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8)) < 0)
        {
            if (!await FillAsync(cancellationToken))
            {
                return null;
            }
        }

        string line = Encoding.Latin1.GetString(_buffer, _start, length);
        _start += length + 2;
        return line;
    }

    private async Task<bool> CopyAsync(MemoryStream body, long count, CancellationToken cancellationToken)
    {
        while (count > 0)
        {
            if (_start == _end && !await FillAsync(cancellationToken))
            {
                return false;
            }

            int piece = (int)Math.Min(count, _end - _start);
            body.Write(_buffer, _start, piece);
            _start += piece;
            count -= piece;
        }

        return true;
    }

    private async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            throw new InvalidDataException($"More than {_buffer.Length} bytes without an end of line.");
        }

        try
        {
            int read = await _socket.ReceiveAsync(_buffer.AsMemory(_end), SocketFlags.None, cancellationToken)
                .InTimeAsync(what: "bytes from the server");
            _end += read;
            return read > 0;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
        {
            WasReset = true;
            return false;
        }
    }
}

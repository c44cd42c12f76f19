using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Breakwater.Mount;

/// <summary>
/// A connection to a proxy or server that carries one request after the other (RFC 9112). Its own few lines rather than HttpClient, which
/// would be half of the boot image's program and bring TLS. Not thread-safe.
/// </summary>
internal sealed class HttpConnection : IDisposable
{
    private const int MaxHeadBytes = 16 << 10;
    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[64 << 10];
    private int _from; // what was received and is not used yet
    private int _to;

    private HttpConnection(Socket socket) => _socket = socket;

    /// <summary>May another request follow? Only once an answer was read to its end.</summary>
    public bool IsReusable { get; private set; }

    /// <summary>Did anything of the present answer come?</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Connects.</summary>
    public static async Task<HttpConnection> OpenAsync(string host, int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(host, port, cancellationToken);
            return new HttpConnection(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Asks, and hands the body of an answer of status 200 to <paramref name="sink"/>. The status, once all came.</summary>
    /// <param name="head">The request, whole.</param>
    /// <param name="sink">Takes the bytes as they come. True: enough, the rest is not wanted.</param>
    /// <param name="silence">Ends the exchange when nothing came for its time; every byte starts it anew.</param>
    /// <exception cref="AnswerException">The answer is none, or ends early.</exception>
    public async Task<int> ExchangeAsync(string head, Func<ReadOnlyMemory<byte>, bool> sink, CancellationTokenSource silence)
    {
        IsReusable = HasBegun = false;
        ReadOnlyMemory<byte> request = Encoding.UTF8.GetBytes(head);
        while (!request.IsEmpty)
        {
            request = request[await _socket.SendAsync(request, SocketFlags.None, silence.Token)..];
        }

        HttpHead answer;
        do
        {
            answer = HttpHead.Parse(await ReadHeadAsync(silence));
        }
        while (answer.Status is >= 100 and < 200);

        if (answer.Status != 200)
        {
            return answer.Status; // the body is not read, so nothing may follow on this connection
        }

        bool isWhole = answer.IsChunked ? await ReadChunksAsync(sink, silence)
            : answer.LengthBytes is { } length ? await ReadAsync(length, sink, silence)
            : await ReadAsync(null, sink, silence);
        IsReusable = isWhole && answer.IsKeptAlive && _from == _to;
        return answer.Status;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private async Task<string> ReadHeadAsync(CancellationTokenSource silence)
    {
        string line;
        var head = new StringBuilder();
        while ((line = await ReadLineAsync(silence)).Length > 0 || head.Length == 0)
        {
            if (head.Append(line).Append('\n').Length > MaxHeadBytes)
            {
                throw new AnswerException("the answer's head is too long");
            }
        }

        return head.ToString();
    }

    private async Task<string> ReadLineAsync(CancellationTokenSource silence)
    {
        var line = new StringBuilder();
        while (true)
        {
            int end = _buffer.AsSpan(_from, _to - _from).IndexOf((byte)'\n');
            int length = end < 0 ? _to - _from : end;
            line.Append(Encoding.Latin1.GetString(_buffer, _from, length));
            _from += length;
            if (end >= 0)
            {
                _from++;
                return line.ToString().TrimEnd('\r');
            }

            if (line.Length > MaxHeadBytes)
            {
                throw new AnswerException("a line of the answer is too long");
            }

            if (!await FillAsync(silence))
            {
                throw new AnswerException("the answer ends early");
            }
        }
    }

    private async Task<bool> ReadChunksAsync(Func<ReadOnlyMemory<byte>, bool> sink, CancellationTokenSource silence)
    {
        while (true)
        {
            string size = (await ReadLineAsync(silence)).Split(';')[0].Trim();
            if (!long.TryParse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long length) || length < 0)
            {
                throw new AnswerException("a chunk of the answer has no length");
            }

            if (length == 0)
            {
                break;
            }

            if (!await ReadAsync(length, sink, silence))
            {
                return false;
            }

            if ((await ReadLineAsync(silence)).Length > 0)
            {
                throw new AnswerException("a chunk of the answer has no end");
            }
        }

        while ((await ReadLineAsync(silence)).Length > 0)
        {
            // trailers
        }

        return true;
    }

    /// <summary>Hands on so many bytes, or all until the connection ends. False: the sink had enough.</summary>
    private async Task<bool> ReadAsync(long? length, Func<ReadOnlyMemory<byte>, bool> sink, CancellationTokenSource silence)
    {
        long left = length ?? long.MaxValue;
        while (left > 0)
        {
            if (_from == _to && !await FillAsync(silence))
            {
                return length is null ? true : throw new AnswerException("the answer ends early");
            }

            int n = (int)Math.Min(left, _to - _from);
            ReadOnlyMemory<byte> piece = _buffer.AsMemory(_from, n);
            _from += n;
            left -= n;
            if (sink(piece))
            {
                return false;
            }
        }

        return true;
    }

    private async Task<bool> FillAsync(CancellationTokenSource silence)
    {
        _from = 0;
        _to = await _socket.ReceiveAsync(_buffer, SocketFlags.None, silence.Token);
        silence.CancelAfter(Downloads.Silence);
        HasBegun |= _to > 0;
        return _to > 0;
    }
}

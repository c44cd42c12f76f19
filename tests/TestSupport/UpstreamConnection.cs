using System.Globalization;
using System.IO.Compression;
using System.Net.Sockets;
using System.Text;

namespace Breakwater.TestSupport;

/// <summary>One connection of a <see cref="ScriptedUpstream"/>: reads heads, answers as the script says.</summary>
internal sealed class UpstreamConnection(ScriptedUpstream upstream, Socket socket, int number)
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _filled;

    public async Task RunAsync()
    {
        try
        {
            while (await ReadRequestAsync() is { } request && await AnswerAsync(request))
            {
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException or ClientGoneException)
        {
            // The other side left, or the upstream is being disposed: both are ordinary ends of a connection.
        }
        finally
        {
            socket.Dispose();
        }
    }

    private async Task<UpstreamRequest?> ReadRequestAsync()
    {
        int end;
        while ((end = _buffer.AsSpan(0, _filled).IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (_filled == _buffer.Length)
            {
                return null;
            }

            int read = await socket.ReceiveAsync(_buffer.AsMemory(_filled), SocketFlags.None, upstream.Stopping);
            if (read == 0)
            {
                return null;
            }

            _filled += read;
        }

        string[] lines = Encoding.Latin1.GetString(_buffer, 0, end).Split("\r\n");
        _buffer.AsSpan(end + 4, _filled - end - 4).CopyTo(_buffer);
        _filled -= end + 4;
        string[] words = lines[0].Split(' ');
        if (words.Length != 3)
        {
            return null;
        }

        return new UpstreamRequest(words[0], words[1], PathOf(words[1]), lines[1..], number);
    }

    private static string PathOf(string target)
    {
        int scheme = target.IndexOf("://", StringComparison.Ordinal);
        int slash = scheme < 0 ? 0 : target.IndexOf('/', scheme + 3);
        string path = slash < 0 ? "/" : target[slash..];
        int query = path.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? path : path[..query];
    }

    /// <returns>True: the connection may be used again.</returns>
    private async Task<bool> AnswerAsync(UpstreamRequest request)
    {
        UpstreamBehaviour behaviour = upstream.Record(request);
        UpstreamAnswerEnd end = UpstreamAnswerEnd.ClientGone;
        try
        {
            end = await SendAsync(request, behaviour);
            return end == UpstreamAnswerEnd.Sent && !behaviour.CloseAfterAnswer && !behaviour.EndsWithConnection
                && (behaviour.RawAnswer is null || behaviour.KeepsConnection);
        }
        catch (OperationCanceledException)
        {
            end = UpstreamAnswerEnd.Disposed;
            throw;
        }
        finally
        {
            if (end == UpstreamAnswerEnd.Cut)
            {
                socket.Dispose(); // Before anybody is told: who sees the end may count on the connection being gone.
            }

            request.SetEnd(end);
        }
    }

    private async Task<UpstreamAnswerEnd> SendAsync(UpstreamRequest request, UpstreamBehaviour behaviour)
    {
        if (behaviour.DelayBeforeHead > TimeSpan.Zero)
        {
            await WaitAsync(Task.Delay(behaviour.DelayBeforeHead, upstream.Time, upstream.Stopping));
        }

        if (behaviour.HeadGate is { } gate)
        {
            await WaitAsync(gate.PassAsync());
        }

        if (behaviour.CloseInsteadOfAnswer)
        {
            return UpstreamAnswerEnd.Cut;
        }

        if (behaviour.ResetAt < 0)
        {
            socket.LingerState = new LingerOption(true, 0);
            return UpstreamAnswerEnd.Cut;
        }

        if (behaviour.RawAnswer is { } raw)
        {
            await SendBytesAsync(raw);
            return UpstreamAnswerEnd.Sent;
        }

        (int status, byte[] body, List<string> headers) = Compose(request, behaviour);
        StringBuilder head = new();
        if (behaviour.Informational > 0)
        {
            head.Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {behaviour.Informational} Early\r\nLink: </x>; rel=preload\r\n\r\n");
        }

        head.Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} {Reason(status)}\r\n");
        head.AppendJoin("\r\n", headers).Append("\r\n\r\n");
        await SendBytesAsync(Encoding.Latin1.GetBytes(head.ToString()));
        return request.Method == "HEAD" ? UpstreamAnswerEnd.Sent : await SendBodyAsync(body, behaviour);
    }

    private (int Status, byte[] Body, List<string> Headers) Compose(UpstreamRequest request, UpstreamBehaviour behaviour)
    {
        int status = behaviour.RedirectTo is null ? behaviour.Status : 302;
        byte[]? file = behaviour.ReplaceBody ?? upstream.Find(request.Path);
        if (status == 200 && file is null)
        {
            status = 404;
        }

        bool isDocument = !request.Path.Contains("/data/", StringComparison.Ordinal);
        List<string> headers = ["Date: " + upstream.Time.GetUtcNow().ToString("R", CultureInfo.InvariantCulture), "Server: Apache"];
        byte[] body;
        if (status == 200)
        {
            body = Spoil(file!, behaviour);
            headers.Add("Cache-Control: " + (behaviour.CacheControl ?? (isDocument ? "max-age=61" : "max-age=259200")));
            headers.Add("Content-Type: " + (behaviour.ContentType ?? (isDocument ? "application/x-cvmfs" : "application/octet-stream")));
            if (behaviour.SupportsRange)
            {
                headers.Add("Accept-Ranges: bytes");
                (status, body) = ApplyRange(request.Header("Range"), body, headers);
            }
        }
        else
        {
            body = Encoding.ASCII.GetBytes($"<html><head><title>{status} {Reason(status)}</title></head></html>\n");
            headers.Add("Content-Type: text/html; charset=iso-8859-1");
        }

        if (behaviour.RedirectTo is not null)
        {
            headers.Add("Location: " + behaviour.RedirectTo);
        }

        if (behaviour.GzipEncode)
        {
            body = Gzip(body);
            headers.Add("Content-Encoding: gzip");
        }

        if (behaviour.Chunked)
        {
            headers.Add("Transfer-Encoding: chunked");
        }
        else if (!behaviour.EndsWithConnection)
        {
            headers.Add(string.Create(CultureInfo.InvariantCulture, $"Content-Length: {behaviour.DeclaredLength ?? body.Length}"));
        }

        if (behaviour.CloseAfterAnswer || behaviour.EndsWithConnection)
        {
            headers.Add("Connection: close");
        }

        headers.AddRange(behaviour.ExtraHeaders);
        return (status, body, headers);
    }

    private static byte[] Spoil(byte[] file, UpstreamBehaviour behaviour)
    {
        byte[] body = file;
        if (behaviour.FlipBitAt is { } position)
        {
            body = (byte[])file.Clone();
            body[Math.Min(position, body.Length - 1)] ^= 1;
        }

        return behaviour.DoubleBody ? [.. body, .. body] : body;
    }

    private static (int Status, byte[] Body) ApplyRange(string? range, byte[] body, List<string> headers)
    {
        if (range is null || !range.StartsWith("bytes=", StringComparison.Ordinal) || range.Contains(',', StringComparison.Ordinal))
        {
            return (200, body);
        }

        string[] bounds = range[6..].Split('-');
        long first, last;
        if (bounds[0].Length == 0)
        {
            first = Math.Max(0, body.Length - long.Parse(bounds[1], CultureInfo.InvariantCulture));
            last = body.Length - 1;
        }
        else
        {
            first = long.Parse(bounds[0], CultureInfo.InvariantCulture);
            last = bounds[1].Length == 0 ? body.Length - 1 : Math.Min(body.Length - 1, long.Parse(bounds[1], CultureInfo.InvariantCulture));
        }

        if (first > last)
        {
            headers.Add(string.Create(CultureInfo.InvariantCulture, $"Content-Range: bytes */{body.Length}"));
            return (416, []);
        }

        headers.Add(string.Create(CultureInfo.InvariantCulture, $"Content-Range: bytes {first}-{last}/{body.Length}"));
        return (206, body[(int)first..(int)(last + 1)]);
    }

    private async Task<UpstreamAnswerEnd> SendBodyAsync(byte[] body, UpstreamBehaviour behaviour)
    {
        bool resets = behaviour.ResetAt is not null;
        long cut = Math.Min(behaviour.TruncateAt ?? long.MaxValue, behaviour.ResetAt ?? long.MaxValue);
        long end = Math.Min(body.Length, cut);
        long sent = 0;
        foreach ((long position, Gate gate) in behaviour.BodyGates)
        {
            if (position > end)
            {
                break;
            }

            await SendPieceAsync(body, sent, position, behaviour);
            sent = position;
            await WaitAsync(gate.PassAsync());
        }

        await SendPieceAsync(body, sent, end, behaviour);
        if (cut != long.MaxValue && end == cut)
        {
            if (resets)
            {
                socket.LingerState = new LingerOption(true, 0);
            }

            return UpstreamAnswerEnd.Cut;
        }

        if (behaviour.Chunked)
        {
            await SendBytesAsync("0\r\n\r\n"u8.ToArray());
        }

        // A length that announces more than there is: the end of the connection is all that tells the client.
        return behaviour.DeclaredLength > body.Length ? UpstreamAnswerEnd.Cut : UpstreamAnswerEnd.Sent;
    }

    private async Task SendPieceAsync(byte[] body, long from, long to, UpstreamBehaviour behaviour)
    {
        int step = behaviour.BytesPerSecond > 0 ? Math.Max(1, behaviour.BytesPerSecond / 10) : 256 * 1024;
        while (from < to)
        {
            int length = (int)Math.Min(step, to - from);
            ReadOnlyMemory<byte> piece = body.AsMemory((int)from, length);
            if (behaviour.Chunked)
            {
                await SendBytesAsync(Encoding.ASCII.GetBytes(length.ToString("x", CultureInfo.InvariantCulture) + "\r\n"));
                await SendBytesAsync(piece);
                await SendBytesAsync("\r\n"u8.ToArray());
            }
            else
            {
                await SendBytesAsync(piece);
            }

            from += length;
            if (behaviour.BytesPerSecond > 0 && from < to)
            {
                await WaitAsync(Task.Delay(TimeSpan.FromMilliseconds(100), upstream.Time, upstream.Stopping));
            }
        }
    }

    private async Task SendBytesAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, upstream.Stopping)..];
        }
    }

    /// <summary>Waits for a gate or a delay, and gives up when the client leaves or the upstream stops.</summary>
    private async Task WaitAsync(Task signal)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(upstream.Stopping);
        Task<int> gone = socket.ReceiveAsync(new byte[1], SocketFlags.Peek, over.Token).AsTask();
        Task first = await Task.WhenAny(signal, gone);
        if (first == gone && (gone.IsFaulted || (gone.IsCompletedSuccessfully && gone.Result == 0)))
        {
            throw new ClientGoneException();
        }

        if (first == gone)
        {
            await signal.WaitAsync(upstream.Stopping);
        }

        await over.CancelAsync();
        await gone.ContinueWith(_ => { }, TaskScheduler.Default);
        upstream.Stopping.ThrowIfCancellationRequested();
        await signal;
    }

    private static byte[] Gzip(byte[] body)
    {
        using MemoryStream compressed = new();
        using (GZipStream gzip = new(compressed, CompressionLevel.Fastest))
        {
            gzip.Write(body);
        }

        return compressed.ToArray();
    }

    private static string Reason(int status) => status switch
    {
        200 => "OK",
        206 => "Partial Content",
        302 => "Found",
        404 => "Not Found",
        416 => "Range Not Satisfiable",
        503 => "Service Unavailable",
        _ => "Status",
    };

    private sealed class ClientGoneException : Exception;
}

using System.Globalization;
using System.Text;

namespace Breakwater.Laboratory.Stratum1;

/// <summary>An answer as it goes out: head, a piece of a body, a pace and an end.</summary>
internal readonly record struct Answer(byte[] Head, byte[] Body, int Start, int End, Ending Ending)
{
    /// <summary>Wait before the first byte.</summary>
    public long DelayUs { get; init; }

    /// <summary>Of the body; 0 is as fast as it goes.</summary>
    public long BytesPerSecond { get; init; }

    /// <summary>A request that is not counted.</summary>
    public bool IsControl { get; init; }

    /// <summary>A 404.</summary>
    public static Answer NotFound()
    {
        byte[] body = "Not Found\n"u8.ToArray();
        return new Answer(HeadOf("404 Not Found", body.Length, "text/plain", null, null), body, 0, body.Length, Ending.KeepAlive);
    }

    /// <summary>The answer of the control path.</summary>
    public static Answer Json(string json)
    {
        byte[] body = Encoding.UTF8.GetBytes(json);
        return new Answer(HeadOf("200 OK", body.Length, "application/json", null, null), body, 0, body.Length,
            Ending.KeepAlive)
        { IsControl = true };
    }

    /// <summary>An object or document, whole or a range of it, possibly made wrong.</summary>
    public static Answer Of(Served served, TimeSpan maxAge, string? range, Fault fault)
    {
        byte[] body = served.Body;
        string type = served.IsDocument ? "application/x-cvmfs" : "application/octet-stream";
        if (range is null && fault is Fault.None or Fault.Drip)
        {
            long second = Environment.TickCount64 / 1000;
            if (served.Ordinary is not { } kept || kept.MaxAge != maxAge || kept.Second != second)
            {
                kept = (HeadOf("200 OK", body.Length, type, maxAge, null), maxAge, second);
                served.Ordinary = kept;
            }

            return new Answer(kept.Head, body, 0, body.Length, Ending.KeepAlive);
        }

        if (fault == Fault.Double)
        {
            body = [.. body, .. body];
        }
        else if (fault == Fault.Flip && body.Length > 0)
        {
            body = (byte[])body.Clone();
            body[body.Length / 2] ^= 1;
        }

        (int start, int end) = Range(range, body.Length);
        bool partial = start > 0 || end < body.Length;
        byte[] head = HeadOf(
            partial ? "206 Partial Content" : "200 OK",
            end - start,
            type,
            maxAge,
            partial ? $"bytes {start}-{end - 1}/{body.Length}" : null);
        int half = start + ((end - start) / 2);
        return fault switch
        {
            Fault.Stall => new Answer(head, body, start, half, Ending.Silence),
            Fault.Truncate => new Answer(head, body, start, half, Ending.Close),
            Fault.Reset => new Answer(head, body, start, half, Ending.Reset),
            _ => new Answer(head, body, start, end, Ending.KeepAlive),
        };
    }

    /// <summary>First byte and end of a single <c>bytes=a-b</c> or <c>bytes=a-</c>; the whole for anything else.</summary>
    private static (int Start, int End) Range(string? range, int length)
    {
        if (range is null || !range.StartsWith("bytes=", StringComparison.Ordinal))
        {
            return (0, length);
        }

        string[] ends = range["bytes=".Length..].Split('-', 2);
        bool valid = int.TryParse(ends[0], CultureInfo.InvariantCulture, out int first) && first < length;
        int last = int.TryParse(ends[^1], CultureInfo.InvariantCulture, out int given) ? Math.Min(given, length - 1) : length - 1;
        return valid && last >= first ? (first, last + 1) : (0, length);
    }

    private static byte[] HeadOf(string status, long length, string type, TimeSpan? maxAge, string? contentRange)
    {
        var head = new StringBuilder(256)
            .Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {status}\r\nDate: {DateTimeOffset.UtcNow:R}\r\nServer: Stratum1\r\n")
            .Append(CultureInfo.InvariantCulture, $"Content-Type: {type}\r\nContent-Length: {length}\r\n");
        if (maxAge is { } age)
        {
            head.Append(CultureInfo.InvariantCulture, $"Cache-Control: max-age={(long)age.TotalSeconds}\r\n");
        }

        if (contentRange is not null)
        {
            head.Append("Content-Range: ").Append(contentRange).Append("\r\n");
        }

        return Encoding.ASCII.GetBytes(head.Append("\r\n").ToString());
    }
}

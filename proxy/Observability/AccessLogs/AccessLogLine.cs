using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Observability.AccessLogs;

/// <summary>
/// One request as one line, in each of the formats. Pure; what came from outside is escaped, so that no client can forge a line.
/// </summary>
internal static class AccessLogLine
{
    /// <summary>Appends the line with its line feed.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="format">How.</param>
    /// <param name="record">What.</param>
    /// <param name="clock">Times.</param>
    /// <param name="path">The file's path in the repository; null when not known.</param>
    public static void Append(IBufferWriter<byte> output, AccessLogFormat format, in RequestRecord record, RecordClock clock, string? path)
    {
        if (format == AccessLogFormat.Json)
        {
            AppendJson(output, record, clock, path);
        }
        else
        {
            string line = format == AccessLogFormat.Squid ? Squid(record, clock, path) : Combined(record, clock, path);
            Encoding.UTF8.GetBytes(line, output);
        }
    }

    /// <summary>
    /// <c>http://wiki.squid-cache.org/Features/LogFormat</c>: time elapsed client code/status bytes method URL user hierarchy/peer type.
    /// Bytes are the body's.
    /// </summary>
    private static string Squid(in RequestRecord record, RecordClock clock, string? path)
    {
        DateTimeOffset end = clock.At(record.EndedAt);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{end.ToUnixTimeSeconds()}.{end.Millisecond:000} {Milliseconds(clock, record.StartedAt, record.EndedAt),6:0} "
            + $"{Client(record)} {SquidCode(record)}/{record.Status:000} {record.BytesSent} {RequestRecord.NameOf(record.Method)} "
            + $"{Url(record)} - {(record.Upstream is null ? "HIER_NONE/-" : "HIER_DIRECT/" + record.Upstream)} "
            + $"{(record.HasKey ? "application/octet-stream" : "-")} {FirstByte(record, clock)} {Escape(path) ?? "-"}\n");
    }

    private static string Combined(in RequestRecord record, RecordClock clock, string? path)
    {
        DateTimeOffset start = clock.At(record.StartedAt);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Client(record)} - - [{start:dd/MMM/yyyy:HH:mm:ss} +0000] \"{RequestRecord.NameOf(record.Method)} {Url(record)} HTTP/1.1\" "
            + $"{record.Status:000} {record.BytesSent} \"-\" \"{Quote(record.UserAgent)}\" "
            + $"{RequestRecorder.NameOf(record.Result)} {record.Upstream ?? "-"} {FirstByte(record, clock)} {Escape(path) ?? "-"}\n");
    }

    private static void AppendJson(IBufferWriter<byte> output, in RequestRecord record, RecordClock clock, string? path)
    {
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true }))
        {
            json.WriteStartObject();
            json.WriteString("time", clock.At(record.StartedAt).UtcDateTime);
            json.WriteString("client", Client(record));
            json.WriteString("method", RequestRecord.NameOf(record.Method));
            json.WriteString("url", Url(record));
            json.WriteNumber("status", record.Status);
            json.WriteNumber("bytes", record.BytesSent);
            json.WriteString("result", RequestRecorder.NameOf(record.Result));
            json.WriteString("source", record.Source.ToString().ToLowerInvariant());
            json.WriteNumber("firstByteMs", Math.Round(Milliseconds(clock, record.StartedAt, record.AnsweredAt), 3));
            json.WriteNumber("durationMs", Math.Round(Milliseconds(clock, record.StartedAt, record.EndedAt), 3));
            WriteIfKnown(json, "repository", record.Fqrn?.ToString());
            WriteIfKnown(json, "upstream", record.Upstream);
            WriteIfKnown(json, "path", path);
            WriteIfKnown(json, "userAgent", record.UserAgent);
            json.WriteEndObject();
        }

        output.Write("\n"u8);
    }

    private static void WriteIfKnown(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    /// <summary>Squid's own words for what happened, as its log analysers know them.</summary>
    private static string SquidCode(in RequestRecord record) => record.Result switch
    {
        RequestResult.Hit or RequestResult.Held => record.Source == ByteSource.Memory ? "TCP_MEM_HIT" : "TCP_HIT",
        RequestResult.Miss or RequestResult.PassedThrough or RequestResult.Failed => "TCP_MISS",
        RequestResult.Joined => "TCP_CF_MISS",
        RequestResult.Revalidated => "TCP_REFRESH_MODIFIED",
        RequestResult.Stale => "TCP_REFRESH_FAIL_OLD",
        RequestResult.Negative => "TCP_NEGATIVE_HIT",
        RequestResult.Refused => "TCP_DENIED",
        RequestResult.ClientGone => "TCP_MISS_ABORTED",
        _ => "NONE",
    };

    private static string Client(in RequestRecord record) => record.Client switch
    {
        null => "-",
        { IsIPv4MappedToIPv6: true } mapped => mapped.MapToIPv4().ToString(),
        IPAddress address => address.ToString(),
    };

    private static string Url(in RequestRecord record)
    {
        string path = Escape(record.Target) ?? (record.HasKey ? $"/cvmfs/{record.Fqrn}/{record.Key.ToPath()}" : "-");
        return record.Authority is null ? path : $"http://{Escape(record.Authority)}{path}";
    }

    private static string FirstByte(in RequestRecord record, RecordClock clock) =>
        record.AnsweredAt == 0
        ? "-"
        : Milliseconds(clock, record.StartedAt, record.AnsweredAt).ToString("0.0", CultureInfo.InvariantCulture);

    private static double Milliseconds(RecordClock clock, long from, long to) =>
        to == 0 ? 0 : clock.Time.GetElapsedTime(from, to).TotalMilliseconds;

    /// <summary>No space, control, quote, backslash or byte beyond ASCII stands raw.</summary>
    private static string? Escape(string? text)
    {
        if (text is null || !text.AsSpan().ContainsAnyExcept(s_plain))
        {
            return text;
        }

        var escaped = new StringBuilder(text.Length + 16);
        foreach (byte c in Encoding.UTF8.GetBytes(text))
        {
            _ = s_plain.Contains((char)c) ? escaped.Append((char)c) : escaped.Append(CultureInfo.InvariantCulture, $"%{c:X2}");
        }

        return escaped.ToString();
    }

    private static string Quote(string? text) =>
        text is null ? "-" : Escape(text.Replace(' ', '\u0001'))!.Replace("%01", " ", StringComparison.Ordinal);

    private static readonly SearchValues<char> s_plain =
        SearchValues.Create([.. Enumerable.Range(0x21, 0x5e).Select(c => (char)c).Where(c => c is not ('"' or '\\'))]);
}

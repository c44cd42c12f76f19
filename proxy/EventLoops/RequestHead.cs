using System.Buffers;
using System.Text;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.EventLoops;

/// <summary>
/// The strict scanner of the hit path. It accepts a narrow subset of RFC 9112 and leaves the rest to Kestrel, which alone must know the
/// whole grammar: what is accepted here is accepted there, with the same meaning (differential test). Pure; allocates nothing.
/// </summary>
internal readonly ref struct RequestHead
{
    /// <summary>Somewhat fewer than Kestrel allows, so that it is Kestrel that refuses the rest.</summary>
    private const int MaxHeaders = ConnectionRules.MaxFields - 4;

    private static readonly SearchValues<byte> s_token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private static readonly SearchValues<byte> s_notText = SearchValues.Create(
        [.. Enumerable.Range(0, 256).Where(c => c is < 0x20 or >= 0x7f).Where(c => c != '\t').Select(c => (byte)c)]);

    private static readonly SearchValues<byte> s_notTarget = SearchValues.Create(
        [.. Enumerable.Range(0, 256).Where(c => c is <= 0x20 or >= 0x7f).Select(c => (byte)c)]);

    /// <summary>Length of the head with its empty line, bytes.</summary>
    public int Length { get; private init; }

    public bool IsHead { get; private init; }

    public ReadOnlySpan<byte> Target { get; private init; }

    /// <summary>The <c>Host</c>.</summary>
    public ReadOnlySpan<byte> Host { get; private init; }

    /// <summary>All field lines, each with its line end: well-formed ones, once the scan says that the request is plain.</summary>
    public ReadOnlySpan<byte> FieldLines { get; private init; }

    /// <summary>The <c>User-Agent</c>, or empty.</summary>
    public ReadOnlySpan<byte> UserAgent { get; private init; }

    /// <summary>The <c>cvmfs-info</c>: the path of the file that the object is of; or empty.</summary>
    public ReadOnlySpan<byte> PathHint { get; private init; }

    /// <summary>The <c>Via</c>, or empty.</summary>
    public ReadOnlySpan<byte> Via { get; private init; }

    /// <summary>The <c>CDN-Loop</c>, or empty.</summary>
    public ReadOnlySpan<byte> CdnLoop { get; private init; }

    /// <summary>Does it say for whom it is (<c>X-Forwarded-For</c>), in origin-form, where that may count?</summary>
    public bool HasForwardedFor { get; private init; }

    /// <summary>Did it come through another proxy?</summary>
    public bool IsForwarded => Via.Length > 0 || CdnLoop.Length > 0;

    /// <summary>Scans the head at the beginning of a buffer.</summary>
    public static HeadScan Scan(ReadOnlySpan<byte> buffer, out RequestHead head)
    {
        head = default;
        int end = buffer.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            // A bare LF could end the head for Kestrel where it does not for us.
            bool isDoubtful = buffer.Length > ConnectionRules.MaxHeadBytes
                || (buffer.Length > 0 && !char.IsAsciiLetterUpper((char)buffer[0]))
                || FieldGrammar.HasBareLineFeed(buffer);
            return isDoubtful ? HeadScan.Doubtful : HeadScan.Incomplete;
        }

        if (end > ConnectionRules.MaxHeadBytes || FieldGrammar.HasBareLineFeed(buffer[..(end + 4)]))
        {
            return HeadScan.Doubtful;
        }

        int lineEnd = buffer.IndexOf("\r\n"u8);
        if (!TryRequestLine(buffer[..lineEnd], out bool isHead, out ReadOnlySpan<byte> target))
        {
            return HeadScan.Doubtful;
        }

        if (lineEnd == end || end - lineEnd > ConnectionRules.MaxFieldBytes)
        {
            return HeadScan.Doubtful;
        }

        var fields = new Fields();
        ReadOnlySpan<byte> lines = buffer[(lineEnd + 2)..(end + 2)];
        HeadScan scan = ScanHeaders(lines, ref fields);
        head = new RequestHead
        {
            Length = end + 4,
            IsHead = isHead,
            Target = target,
            Host = fields.Host,
            FieldLines = lines,
            UserAgent = fields.UserAgent,
            PathHint = fields.PathHint,
            Via = fields.Via,
            CdnLoop = fields.CdnLoop,
            HasForwardedFor = fields.HasForwardedFor && target[0] == (byte)'/',
        };
        return scan;
    }

    private static bool TryRequestLine(ReadOnlySpan<byte> line, out bool isHead, out ReadOnlySpan<byte> target)
    {
        bool isGet = line.StartsWith("GET "u8);
        isHead = line.StartsWith("HEAD "u8);
        target = default;
        if ((!isGet && !isHead) || !line.EndsWith(" HTTP/1.1"u8))
        {
            return false;
        }

        int start = isGet ? 4 : 5;
        if (line.Length - 9 <= start)
        {
            return false;
        }

        target = line[start..^9];
        return target.IndexOfAny(s_notTarget) < 0;
    }

    /// <summary>Looks at every field: is it well formed, and does it change what must be answered?</summary>
    private static HeadScan ScanHeaders(ReadOnlySpan<byte> lines, ref Fields fields)
    {
        bool isPlain = true;
        int hosts = 0;
        int count = 0;
        while (lines.Length > 0)
        {
            int end = lines.IndexOf("\r\n"u8);
            ReadOnlySpan<byte> line = lines[..end];
            lines = lines[(end + 2)..];
            int colon = line.IndexOf((byte)':');
            if (colon <= 0 || ++count > MaxHeaders || line[..colon].IndexOfAnyExcept(s_token) >= 0
                || line[(colon + 1)..].IndexOfAny(s_notText) >= 0)
            {
                return HeadScan.Doubtful;
            }

            ReadOnlySpan<byte> name = line[..colon];
            ReadOnlySpan<byte> value = line[(colon + 1)..].Trim(" \t"u8);
            switch (Classify(name))
            {
                case FieldKind.Host:
                    hosts++;

                    // In absolute form the target counts, whatever this says (RFC 9112, 3.2.2).
                    if (!Authorities.IsValid(value))
                    {
                        return HeadScan.Doubtful;
                    }

                    fields.Host = value;
                    break;
                case FieldKind.Framing:
                    return HeadScan.Doubtful;
                case FieldKind.Connection:
                    if (!Ascii.EqualsIgnoreCase(value, "keep-alive"u8))
                    {
                        return HeadScan.Doubtful;
                    }

                    break;
                case FieldKind.Meaningful:
                    isPlain = false;
                    break;
                case FieldKind.UserAgent:
                    fields.UserAgent = value;
                    break;
                case FieldKind.PathHint:
                    fields.PathHint = value;
                    break;
                case FieldKind.Via:
                    isPlain &= fields.Via.IsEmpty;
                    fields.Via = value;
                    break;
                case FieldKind.ForwardedFor:
                    fields.HasForwardedFor = true;
                    break;
                case FieldKind.CdnLoop:
                    isPlain &= fields.CdnLoop.IsEmpty;
                    fields.CdnLoop = value;
                    break;
            }
        }

        return hosts != 1 ? HeadScan.Doubtful : isPlain ? HeadScan.Plain : HeadScan.Ordinary;
    }

    private static FieldKind Classify(ReadOnlySpan<byte> name) => name.Length switch
    {
        3 when Is(name, "Via"u8) => FieldKind.Via,
        4 when Is(name, "Host"u8) => FieldKind.Host,
        5 when Is(name, "Range"u8) => FieldKind.Meaningful,
        6 when Is(name, "Expect"u8) => FieldKind.Framing,
        6 when Is(name, "Pragma"u8) => FieldKind.Meaningful,
        7 when Is(name, "Upgrade"u8) || Is(name, "Trailer"u8) => FieldKind.Framing,
        8 when Is(name, "If-Range"u8) => FieldKind.Meaningful,
        8 when Is(name, "CDN-Loop"u8) => FieldKind.CdnLoop,
        10 when Is(name, "Connection"u8) => FieldKind.Connection,
        10 when Is(name, "User-Agent"u8) => FieldKind.UserAgent,
        10 when Is(name, "cvmfs-info"u8) => FieldKind.PathHint,
        13 when Is(name, "Cache-Control"u8) || Is(name, "Authorization"u8) => FieldKind.Meaningful,
        14 when Is(name, "Content-Length"u8) => FieldKind.Framing,
        15 when Is(name, "X-Forwarded-For"u8) => FieldKind.ForwardedFor,
        17 when Is(name, "Transfer-Encoding"u8) => FieldKind.Framing,
        19 when Is(name, "Proxy-Authorization"u8) => FieldKind.Meaningful,
        _ => FieldKind.Other,
    };

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> known) => Ascii.EqualsIgnoreCase(name, known);

    private ref struct Fields
    {
        public ReadOnlySpan<byte> Host;
        public ReadOnlySpan<byte> UserAgent;
        public ReadOnlySpan<byte> PathHint;
        public ReadOnlySpan<byte> Via;
        public ReadOnlySpan<byte> CdnLoop;
        public bool HasForwardedFor;
    }

    private enum FieldKind : byte
    {
        Other,
        Host,
        Connection,
        UserAgent,
        PathHint,
        Via,
        CdnLoop,
        ForwardedFor,

        /// <summary>Changes the framing or the connection.</summary>
        Framing,

        /// <summary>Changes the answer.</summary>
        Meaningful,
    }
}

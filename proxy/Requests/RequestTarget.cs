using System.Buffers;
using System.Text;
using Breakwater.CacheStore;

namespace Breakwater.Proxy.Requests;

/// <summary>
/// A parsed request target, in origin form or absolute form; the spans point into the text that was parsed. The grammar is an allow-list
/// (protocol.md, "Kestrel"): no query, no fragment, no user information, no dot segments, no empty segments, no encoded slash, dot, letter
/// or digit; of what has a meaning to CernVM-FS nothing is encoded at all, and names of other files (external data) lead out of no folder
/// (<see cref="EscapedNames"/>).
/// </summary>
internal readonly ref struct RequestTarget
{
    /// <summary>Longest target in bytes. CernVM-FS needs about 200; external paths may be longer.</summary>
    public const int MaxLength = 4096;

    private static readonly SearchValues<byte> s_pathCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@[]"u8);

    /// <summary>What is asked for.</summary>
    public TargetKind Kind { get; init; }

    /// <summary>Why it is not served.</summary>
    public TargetRejection Rejection { get; init; }

    /// <summary>Came in absolute form, as through a forward proxy.</summary>
    public bool IsAbsoluteForm { get; init; }

    /// <summary>Host with port as written in an absolute form; empty in origin form.</summary>
    public ReadOnlySpan<byte> Authority { get; init; }

    /// <summary>Fully qualified repository name; <c>info</c> for <c>/cvmfs/info/v1/…</c>.</summary>
    public ReadOnlySpan<byte> Fqrn { get; init; }

    /// <summary>The path below <c>/cvmfs/&lt;fqrn&gt;/</c>, as written.</summary>
    public ReadOnlySpan<byte> Path { get; init; }

    /// <summary>Identity of the object, when <see cref="Kind"/> is <see cref="TargetKind.Object"/>.</summary>
    public ObjectKey Key { get; init; }

    /// <summary>Parses a request target as it stands in the request line. Never throws; pure.</summary>
    public static RequestTarget Parse(ReadOnlySpan<byte> target)
    {
        if (target.Length > MaxLength)
        {
            return Reject(TargetRejection.TooLong, false);
        }

        bool isAbsolute = false;
        ReadOnlySpan<byte> authority = default;
        if (target.Length == 0)
        {
            return Reject(TargetRejection.Malformed, false);
        }

        if (target[0] != (byte)'/')
        {
            isAbsolute = true;
            int colon = target.IndexOf("://"u8);
            if (colon <= 0)
            {
                return Reject(TargetRejection.Malformed, true);
            }

            // Lower case only, as Kestrel has it: the same on both paths (docs/develop/adr, "Event loops for hits").
            if (!target[..colon].SequenceEqual("http"u8))
            {
                return Reject(TargetRejection.Scheme, true);
            }

            target = target[(colon + 3)..];
            int slash = target.IndexOf((byte)'/');
            if (slash <= 0 || !Authorities.IsValid(target[..slash]))
            {
                return Reject(TargetRejection.Malformed, true);
            }

            authority = target[..slash];
            target = target[slash..];
        }

        bool hasRepository = TrySplit(target, out ReadOnlySpan<byte> fqrn, out ReadOnlySpan<byte> path);
        ObjectKey key = default;
        TargetKind kind = TargetKind.Object;
        TargetRejection rejection = TargetRejection.None;

        // First of all: most requests, and what they may consist of is said by the grammar of their parts.
        if (!hasRepository || !TryParseDataPath(fqrn, path, out key))
        {
            if (!IsCleanPath(target))
            {
                return Reject(TargetRejection.Malformed, isAbsolute);
            }

            if (!hasRepository)
            {
                return Reject(target.StartsWith("/cvmfs/"u8) ? TargetRejection.Malformed : TargetRejection.NotCvmfs, isAbsolute);
            }

            (kind, rejection) = Classify(fqrn, path, out key);
        }

        return new RequestTarget
        {
            Kind = kind,
            Rejection = rejection,
            IsAbsoluteForm = isAbsolute,
            Authority = authority,
            Fqrn = fqrn,
            Path = path,
            Key = key,
        };
    }

    private static RequestTarget Reject(TargetRejection rejection, bool isAbsolute) =>
        new() { Kind = TargetKind.Rejected, Rejection = rejection, IsAbsoluteForm = isAbsolute };

    /// <summary><c>/cvmfs/&lt;fqrn&gt;/&lt;path&gt;</c>, of which the path may be anything.</summary>
    private static bool TrySplit(ReadOnlySpan<byte> target, out ReadOnlySpan<byte> fqrn, out ReadOnlySpan<byte> path)
    {
        fqrn = path = default;
        if (!target.StartsWith("/cvmfs/"u8))
        {
            return false;
        }

        ReadOnlySpan<byte> rest = target[7..];
        int end = rest.IndexOf((byte)'/');
        if (end <= 0 || !Repositories.Fqrn.IsName(rest[..end]))
        {
            return false;
        }

        fqrn = rest[..end];
        path = rest[(end + 1)..];
        return true;
    }

    private static (TargetKind Kind, TargetRejection Rejection) Classify(ReadOnlySpan<byte> fqrn, ReadOnlySpan<byte> path,
        out ObjectKey key)
    {
        key = default;
        if (fqrn.SequenceEqual("info"u8))
        {
            return path.StartsWith("v1/"u8) && path.EndsWith(".json"u8) && IsPlain(path[3..])
                ? (TargetKind.Document, TargetRejection.None)
                : (TargetKind.Rejected, TargetRejection.NotCvmfs);
        }

        if (path.StartsWith(".cvmfsalt-"u8))
        {
            return ObjectKey.TryParse(path[10..], out key)
                ? (TargetKind.Object, TargetRejection.None)
                : (TargetKind.Rejected, TargetRejection.NotAnObject);
        }

        bool isEscaped = path.Contains((byte)'%');
        if (path.StartsWith(".cvmfs"u8) && (isEscaped || IsPlain(path[1..])))
        {
            return isEscaped ? (TargetKind.Rejected, TargetRejection.Malformed) : (TargetKind.Document, TargetRejection.None);
        }

        if (path.StartsWith("api/v1.0/geo/"u8))
        {
            return isEscaped ? (TargetKind.Rejected, TargetRejection.Malformed) : (TargetKind.Geo, TargetRejection.None);
        }

        if (isEscaped && !EscapedNames.AreHarmless(path))
        {
            return (TargetKind.Rejected, TargetRejection.Malformed);
        }

        // Also a file in a folder named data.
        key = default;
        return path.Length == 0 ? (TargetKind.Rejected, TargetRejection.NotCvmfs) : (TargetKind.PassThrough, TargetRejection.None);
    }

    /// <summary><c>data/ab/cdef…C</c>: the digest split after its first two digits.</summary>
    private static bool TryParseDataPath(ReadOnlySpan<byte> fqrn, ReadOnlySpan<byte> path, out ObjectKey key)
    {
        key = default;
        if (path.Length is < 46 or > ObjectKey.MaxTextLength + 6 || path[7] != (byte)'/' || !path.StartsWith("data/"u8)
            || fqrn.SequenceEqual("info"u8))
        {
            return false;
        }

        Span<byte> text = stackalloc byte[ObjectKey.MaxTextLength];
        path[5..7].CopyTo(text);
        path[8..].CopyTo(text[2..]);
        return ObjectKey.TryParse(text[..(path.Length - 6)], out key);
    }

    /// <summary>One segment of letters, digits, dot, hyphen and underscore.</summary>
    private static bool IsPlain(ReadOnlySpan<byte> segment) =>
        segment.Length > 0 && !segment.ContainsAnyExcept(Authorities.NameCharacters);

    /// <summary>
    /// RFC 3986 path characters, and the brackets that the CernVM-FS client leaves raw; no empty or dot segments; no escapes that hide a
    /// slash, a dot or a name.
    /// </summary>
    private static bool IsCleanPath(ReadOnlySpan<byte> path)
    {
        int segmentStart = 1;
        for (int i = 1; i <= path.Length; i++)
        {
            if (i == path.Length || path[i] == (byte)'/')
            {
                ReadOnlySpan<byte> segment = path[segmentStart..i];
                bool isLast = i == path.Length;
                if ((segment.Length == 0 && !isLast) || segment.SequenceEqual("."u8) || segment.SequenceEqual(".."u8))
                {
                    return false;
                }

                segmentStart = i + 1;
                continue;
            }

            if (path[i] == (byte)'%')
            {
                if (i + 2 >= path.Length || !IsHarmlessEscape(path[i + 1], path[i + 2]))
                {
                    return false;
                }

                i += 2;
            }
            else if (!s_pathCharacters.Contains(path[i]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsHarmlessEscape(byte high, byte low)
    {
        if (!char.IsAsciiHexDigit((char)high) || !char.IsAsciiHexDigit((char)low))
        {
            return false;
        }

        // Letters and digits need no escape; with one, a manifest or an object would be taken for another file here, and for itself by the
        // Stratum 1.
        int value = (EscapedNames.HexValue(high) << 4) | EscapedNames.HexValue(low);
        return value is not (0 or '/' or '.') && !char.IsAsciiLetterOrDigit((char)value);
    }
}

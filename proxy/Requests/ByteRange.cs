using System.Globalization;

namespace Breakwater.Proxy.Requests;

/// <summary>
/// One byte range of a request (RFC 9110, 14.1.2): <c>bytes=first-last</c>, <c>bytes=first-</c> or <c>bytes=-suffix</c>.
/// </summary>
/// <param name="First">First byte, or −1 for a suffix range.</param>
/// <param name="Last">Last byte inclusive, −1 when open; for a suffix range its length.</param>
internal readonly record struct ByteRange(long First, long Last)
{
    /// <summary>
    /// Parses a Range header. False: absent, malformed, another unit or several ranges; the header is then ignored (RFC 9110 allows it).
    /// </summary>
    public static bool TryParse(string? header, out ByteRange range)
    {
        range = default;
        if (header is null || !header.StartsWith("bytes=", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        ReadOnlySpan<char> spec = header.AsSpan(6).Trim(' ');
        int dash = spec.IndexOf('-');
        if (dash < 0 || !TryNumber(spec[..dash], out long first) || !TryNumber(spec[(dash + 1)..], out long last))
        {
            return false;
        }

        if (first < 0 ? last < 0 : last >= 0 && last < first)
        {
            return false;
        }

        range = new ByteRange(first, last);
        return true;
    }

    /// <summary>Resolves the range against a length. False: nothing of it exists (416).</summary>
    public bool TryResolve(long length, out long offset, out long count)
    {
        offset = First >= 0 ? First : Math.Max(0, length - Last);
        long end = First >= 0 && Last >= 0 ? Math.Min(Last, length - 1) : length - 1;
        count = end - offset + 1;
        return count > 0 && offset < length;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out long value)
    {
        value = -1;
        return text.Length == 0 || (text.Length <= 18 && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value));
    }
}

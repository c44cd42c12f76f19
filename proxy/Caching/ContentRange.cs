using System.Globalization;

namespace Breakwater.Proxy.Caching;

/// <summary>Which part of a body a 206 carries (RFC 9110, 14.4). Pure.</summary>
/// <param name="First">First byte.</param>
/// <param name="Last">Last byte, inclusive.</param>
/// <param name="Total">Length of the whole; null: <c>*</c>, not told.</param>
internal readonly record struct ContentRange(long First, long Last, long? Total)
{
    /// <summary>Bytes in it.</summary>
    public long Count => Last - First + 1;

    /// <summary>Parses <c>bytes first-last/total</c>. Null: absent, another unit, or a range that cannot be.</summary>
    public static ContentRange? Parse(string? text)
    {
        if (text is null || !text.StartsWith("bytes ", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        ReadOnlySpan<char> spec = text.AsSpan(6).Trim(' ');
        int dash = spec.IndexOf('-');
        int slash = spec.IndexOf('/');
        if (dash <= 0 || slash < dash || !TryNumber(spec[..dash], out long first)
            || !TryNumber(spec[(dash + 1)..slash], out long last) || last < first)
        {
            return null;
        }

        ReadOnlySpan<char> rest = spec[(slash + 1)..];
        if (rest is "*")
        {
            return new ContentRange(first, last, null);
        }

        return TryNumber(rest, out long total) && last < total ? new ContentRange(first, last, total) : null;
    }

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"bytes {First}-{Last}/{Total?.ToString(CultureInfo.InvariantCulture) ?? "*"}");

    private static bool TryNumber(ReadOnlySpan<char> text, out long value)
    {
        value = 0;
        return text.Length is > 0 and <= 18 && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }
}

namespace Breakwater.Proxy.Requests;

/// <summary>
/// Escapes in the path of a file that is passed through. A file's name may hold any byte but NUL and the slash, and a client escapes all
/// but a few; so every escape passes, but none that leads out of its folder, however often a server decodes it. Pure; allocates nothing.
/// The event loops ask, so the time that it takes is bounded by the path's length.
/// </summary>
internal static class EscapedNames
{
    /// <summary>
    /// Escapes within escapes that are undone. A name that holds <c>%</c> takes one more than others; deeper ones are nobody's, and each
    /// level may be another pass over the whole path.
    /// </summary>
    private const int MostLevels = 6;

    /// <summary>How a slash, dot, backslash or NUL is written that a lenient decoder takes for one: longer than UTF-8 allows.</summary>
    private static readonly byte[][] s_overlong = [.. "/.\\\0"u8.ToArray().SelectMany(c => new[]
    {
        new[] { (byte)(0xC0 | (c >> 6)), (byte)(0x80 | (c & 0x3f)) },
        [0xE0, (byte)(0x80 | (c >> 6)), (byte)(0x80 | (c & 0x3f))],
        [0xF0, 0x80, (byte)(0x80 | (c >> 6)), (byte)(0x80 | (c & 0x3f))],
    })];

    /// <summary>
    /// Does no decoding of it, once or several times, name anything outside the folders that it shows? False also where escapes hide
    /// escapes more than a few levels deep.
    /// </summary>
    /// <param name="path">At most <see cref="RequestTarget.MaxLength"/> bytes.</param>
    public static bool AreHarmless(ReadOnlySpan<byte> path)
    {
        Span<byte> text = stackalloc byte[RequestTarget.MaxLength];
        path.CopyTo(text);
        text = text[..path.Length];
        for (int level = 0; TryDecode(ref text); level++)
        {
            if (level == MostLevels || HasOverlong(text) || text.Contains((byte)0) || HasDotSegment(text))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Decodes each escape once, in place. False: there was none.</summary>
    private static bool TryDecode(ref Span<byte> text)
    {
        int to = 0;
        bool hasDecoded = false;
        for (int from = 0; from < text.Length; from++)
        {
            if (text[from] == (byte)'%' && from + 2 < text.Length && char.IsAsciiHexDigit((char)text[from + 1])
                && char.IsAsciiHexDigit((char)text[from + 2]))
            {
                text[to++] = (byte)((HexValue(text[from + 1]) << 4) | HexValue(text[from + 2]));
                from += 2;
                hasDecoded = true;
            }
            else
            {
                text[to++] = text[from];
            }
        }

        text = text[..to];
        return hasDecoded;
    }

    private static bool HasOverlong(ReadOnlySpan<byte> text)
    {
        foreach (byte[] sequence in s_overlong)
        {
            if (text.IndexOf(sequence) >= 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A backslash parts folders on some servers.</summary>
    private static bool HasDotSegment(ReadOnlySpan<byte> text)
    {
        foreach (Range part in text.SplitAny("/\\"u8))
        {
            if (text[part].SequenceEqual("."u8) || text[part].SequenceEqual(".."u8))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The value of a hexadecimal digit.</summary>
    public static int HexValue(byte digit) => digit <= (byte)'9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

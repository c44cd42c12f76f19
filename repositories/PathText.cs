using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Breakwater.Repositories;

/// <summary>
/// Paths as text. A file system's names are bytes, and not all are UTF-8: each byte that is part of no character becomes a character of its
/// own, <c>U+EF80</c> to <c>U+EFFF</c>, which Unicode leaves to private use, and becomes that byte again. A name that has these characters
/// itself is taken apart alike, so that two names are never the same text. It passes through JSON, lists and logs.
/// </summary>
public static class PathText
{
    private const char First = '\uEF80';
    private const char Last = '\uEFFF';
    private static readonly SearchValues<char> s_escaped =
        SearchValues.Create(string.Concat(Enumerable.Range(First, Last - First + 1).Select(c => (char)c)));

    /// <summary>The text of a path's bytes.</summary>
    public static string Of(ReadOnlySpan<byte> path)
    {
        if (Utf8.IsValid(path))
        {
            string text = Encoding.UTF8.GetString(path);
            if (!text.AsSpan().ContainsAny(s_escaped))
            {
                return text;
            }
        }

        var written = new StringBuilder(path.Length);
        Span<char> pair = stackalloc char[2];
        while (!path.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(path, out Rune rune, out int length) == OperationStatus.Done && rune.Value is < First or > Last)
            {
                written.Append(pair[..rune.EncodeToUtf16(pair)]);
            }
            else
            {
                foreach (byte one in path[..length])
                {
                    written.Append((char)(First - 0x80 + one));
                }
            }

            path = path[length..];
        }

        return written.ToString();
    }

    /// <summary>The bytes of a path's text.</summary>
    public static byte[] Bytes(string text)
    {
        if (!text.AsSpan().ContainsAny(s_escaped))
        {
            return Encoding.UTF8.GetBytes(text);
        }

        var bytes = new List<byte>(text.Length);
        ReadOnlySpan<char> left = text;
        while (!left.IsEmpty)
        {
            int plain = left.IndexOfAny(s_escaped);
            plain = plain < 0 ? left.Length : plain;
            bytes.AddRange(Encoding.UTF8.GetBytes(left[..plain].ToString()));
            left = left[plain..];
            if (!left.IsEmpty)
            {
                bytes.Add((byte)(left[0] - First + 0x80));
                left = left[1..];
            }
        }

        return [.. bytes];
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// How nodes of a site say requests and answers of ordinary HTTP to each other. A request is a field of its own, so that no field of a
/// client is ever taken for one of a node. An answer comes in the body of another one, which begins at once as a sign of life, however long
/// the origin thinks: four bytes of length, the head as text, the body. Pure.
/// </summary>
internal static class NodeQuestion
{
    /// <summary>Where it is asked.</summary>
    public const string Path = "/node/http";

    /// <summary>The field with the request.</summary>
    public const string Field = "Breakwater-Question";

    /// <summary>Bytes before the head: its length, little-endian.</summary>
    public const int PrefixBytes = 4;

    /// <summary>Longest head of an answer.</summary>
    public const int MaxHeadBytes = 128 << 10;

    /// <summary>Longest request, so that it fits into a request to the node port.</summary>
    private const int MaxRequestChars = 32 << 10;

    /// <summary>A request as text; null: it is too long.</summary>
    /// <param name="asked">Request target and <c>Host</c>.</param>
    /// <param name="fields">Its fields.</param>
    public static string? Write((string Target, string Host) asked, HeaderFields fields)
    {
        StringBuilder text = AppendFields(new StringBuilder().Append(asked.Target).Append('\n').Append(asked.Host).Append('\n'), fields);
        return text.Length > MaxRequestChars ? null : Convert.ToBase64String(Encoding.Latin1.GetBytes(text.ToString()));
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static bool TryRead(string? written, out (string Target, string Host) asked, [NotNullWhen(true)] out HeaderFields? fields)
    {
        (asked, fields) = (default, null);
        byte[] bytes = new byte[written?.Length ?? 0];
        if (!Convert.TryFromBase64String(written ?? "", bytes, out int length))
        {
            return false;
        }

        string[] lines = Encoding.Latin1.GetString(bytes, 0, length).Split('\n');
        if (lines.Length < 3 || !TryReadFields(lines.AsSpan(2), out fields))
        {
            return false;
        }

        asked = (lines[0], lines[1]);
        return true;
    }

    /// <summary>The head of an answer, with its length before it.</summary>
    public static byte[] WriteHead(int status, string? reason, HeaderFields fields)
    {
        StringBuilder text = AppendFields(new StringBuilder().Append(CultureInfo.InvariantCulture, $"{status} {reason}\n"), fields);
        byte[] head = new byte[PrefixBytes + text.Length];
        BitConverter.TryWriteBytes(head, text.Length);
        Encoding.Latin1.GetBytes(text.ToString(), head.AsSpan(PrefixBytes));
        return head;
    }

    /// <summary>Reads what <see cref="WriteHead"/> wrote, without its length.</summary>
    public static bool TryReadHead(ReadOnlySpan<byte> head, out int status, out string reason, [NotNullWhen(true)] out HeaderFields? fields)
    {
        string[] lines = Encoding.Latin1.GetString(head).Split('\n');
        string[] words = lines[0].Split(' ', 2);
        reason = words.Length == 2 ? words[1] : "";
        fields = null;
        return int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out status) && status is >= 200 and <= 599
            && !reason.Contains('\r', StringComparison.Ordinal) && lines.Length > 1 && TryReadFields(lines.AsSpan(1), out fields);
    }

    private static StringBuilder AppendFields(StringBuilder text, HeaderFields fields)
    {
        foreach ((string name, string value) in fields)
        {
            text.Append(name).Append(": ").Append(value).Append('\n');
        }

        return text;
    }

    /// <summary>Lines of fields, behind which the text ends.</summary>
    private static bool TryReadFields(ReadOnlySpan<string> lines, [NotNullWhen(true)] out HeaderFields? fields)
    {
        fields = new HeaderFields();
        foreach (string line in lines[..^1])
        {
            int colon = line.IndexOf(": ", StringComparison.Ordinal);
            if (colon <= 0)
            {
                return false;
            }

            fields.Add(line[..colon], line[(colon + 2)..]);
        }

        return lines[^1].Length == 0;
    }
}

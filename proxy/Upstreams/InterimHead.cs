using System.Text;
using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Upstreams;

/// <summary>The head of an interim answer (RFC 9110, 15.2). Pure.</summary>
internal static class InterimHead
{
    private static readonly string[] s_connection =
        ["Connection", "Content-Length", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade"];

    /// <summary>Length of the whole interim head at the start of these bytes; 0: there is none, or not all of it.</summary>
    /// <param name="bytes">What came.</param>
    /// <param name="mayGrow">More bytes may make one of it.</param>
    public static int Find(ReadOnlySpan<byte> bytes, out bool mayGrow)
    {
        ReadOnlySpan<byte> start = "HTTP/1.1 1"u8;
        mayGrow = false;
        if (bytes.Length < 13)
        {
            mayGrow = bytes.Length <= start.Length ? start.StartsWith(bytes) : bytes.StartsWith(start);
            return 0;
        }

        // 101 is a final answer in its way: what follows it is another protocol.
        if (!bytes.StartsWith(start) || !char.IsAsciiDigit((char)bytes[10]) || !char.IsAsciiDigit((char)bytes[11])
            || bytes[10..12].SequenceEqual("01"u8) || bytes[12] is not ((byte)' ' or (byte)'\r'))
        {
            return 0;
        }

        int end = bytes.IndexOf("\r\n\r\n"u8);
        if (FieldGrammar.HasBareLineFeed(end < 0 ? bytes : bytes[..end]))
        {
            return 0; // where this head ends depends on who reads it
        }

        mayGrow = end < 0;
        return end < 0 ? 0 : end + 4;
    }

    /// <summary>
    /// The head for the client, without fields of the connection; null: it is not for him (100), or no head that may be passed on.
    /// </summary>
    public static byte[]? Relayed(ReadOnlySpan<byte> head)
    {
        string[] lines = Encoding.Latin1.GetString(head).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        if (lines[0].StartsWith("HTTP/1.1 100", StringComparison.Ordinal) || !FieldGrammar.IsText(lines[0]))
        {
            return null;
        }

        var relayed = new StringBuilder(lines[0]).Append("\r\n");
        foreach (string line in lines.Skip(1))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0 || !FieldGrammar.IsToken(line.AsSpan(0, colon)) || !FieldGrammar.IsText(line))
            {
                return null;
            }

            if (!s_connection.Contains(line[..colon], StringComparer.OrdinalIgnoreCase))
            {
                relayed.Append(line).Append("\r\n");
            }
        }

        return Encoding.Latin1.GetBytes(relayed.Append("\r\n").ToString());
    }
}

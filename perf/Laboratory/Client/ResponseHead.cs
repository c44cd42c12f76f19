using System.Buffers.Text;
using System.Text;

namespace Breakwater.Laboratory.Client;

/// <summary>What a client needs from the head of an answer.</summary>
internal readonly record struct ResponseHead(int Status, long ContentLength, bool IsChunked, bool Closes, bool IsEncoded)
{
    /// <summary>The length is not given: the body ends with the connection, or is chunked.</summary>
    public const long Unknown = -1;

    /// <summary>Reads a head up to, and without, its empty line. False when it is not HTTP/1.</summary>
    public static bool TryParse(ReadOnlySpan<byte> head, out ResponseHead parsed)
    {
        parsed = default;
        if (head.Length < 12 || !head.StartsWith("HTTP/1."u8) || !Utf8Parser.TryParse(head.Slice(9, 3), out int status, out int used)
            || used != 3)
        {
            return false;
        }

        bool closes = head[7] == (byte)'0', chunked = false, encoded = false;
        long length = Unknown;
        int lineEnd = head.IndexOf((byte)'\n');
        while (lineEnd >= 0)
        {
            head = head[(lineEnd + 1)..];
            lineEnd = head.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = lineEnd < 0 ? head : head[..lineEnd];
            switch (line.Length == 0 ? 0 : line[0] | 0x20)
            {
                case 'c' when Is(line, "content-length:"u8, out ReadOnlySpan<byte> value):
                    if (!Utf8Parser.TryParse(value, out length, out _))
                    {
                        return false;
                    }

                    break;
                case 'c' when Is(line, "connection:"u8, out ReadOnlySpan<byte> value):
                    closes = Ascii.EqualsIgnoreCase(value, "close"u8);
                    break;
                case 'c' when Is(line, "content-encoding:"u8, out ReadOnlySpan<byte> value):
                    encoded = !Ascii.EqualsIgnoreCase(value, "identity"u8);
                    break;
                case 't' when Is(line, "transfer-encoding:"u8, out ReadOnlySpan<byte> value):
                    chunked = Ascii.EqualsIgnoreCase(value, "chunked"u8);
                    break;
            }
        }

        parsed = new ResponseHead(status, status is 204 or 304 ? 0 : chunked ? Unknown : length, chunked, closes, encoded);
        return true;
    }

    private static bool Is(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        bool matches = line.Length >= name.Length && Ascii.EqualsIgnoreCase(line[..name.Length], name);
        value = matches ? line[name.Length..].Trim(" \t\r"u8) : default;
        return matches;
    }
}

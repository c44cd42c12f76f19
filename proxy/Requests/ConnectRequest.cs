using System.Globalization;
using System.Text;

namespace Breakwater.Proxy.Requests;

/// <summary>The head of a CONNECT request (RFC 9110, 9.3.6; RFC 9112, 3.2.3).</summary>
/// <param name="Host">Name or address, IPv6 without brackets.</param>
/// <param name="Port">Port.</param>
/// <param name="ProxyAuthorization">The value of <c>Proxy-Authorization</c>; null when it was not sent.</param>
/// <param name="UserAgent">The value of <c>User-Agent</c>; null when it was not sent.</param>
internal sealed record ConnectRequest(string Host, int Port, string? ProxyAuthorization, string? UserAgent)
{
    /// <summary>How a CONNECT request begins.</summary>
    public static ReadOnlySpan<byte> Beginning => "CONNECT "u8;

    /// <summary>Parses a head with its empty line, strictly. Null: malformed, or with a body. Pure.</summary>
    public static ConnectRequest? Parse(ReadOnlySpan<byte> head)
    {
        if (!head.EndsWith("\r\n\r\n"u8) || !Ascii.IsValid(head))
        {
            return null;
        }

        string[] lines = Encoding.ASCII.GetString(head[..^4]).Split("\r\n");
        string[] words = lines[0].Split(' ');
        if (words.Length != 3 || words[0] != "CONNECT" || words[2] is not ("HTTP/1.1" or "HTTP/1.0")
            || !TryAuthority(words[1], out string host, out int port))
        {
            return null;
        }

        int hosts = 0;
        string? authorization = null;
        string? userAgent = null;
        foreach (string line in lines.AsSpan(1))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            string value = colon < 0 ? "" : line[(colon + 1)..].Trim(' ', '\t');
            if (colon < 0 || !FieldGrammar.IsToken(line.AsSpan(0, colon)) || !FieldGrammar.IsText(value))
            {
                return null;
            }

            switch (line[..colon].ToLowerInvariant())
            {
                case "content-length" or "transfer-encoding":
                    return null;
                case "host":
                    // RFC 9110, 7.2: the same as the target; some clients leave a usual port out.
                    if (++hosts > 1
                        || (!value.Equals(words[1], StringComparison.OrdinalIgnoreCase)
                        && !value.Equals(words[1][..words[1].LastIndexOf(':')], StringComparison.OrdinalIgnoreCase)))
                    {
                        return null;
                    }

                    break;
                case "proxy-authorization":
                    if (authorization is not null)
                    {
                        return null;
                    }

                    authorization = value;
                    break;
                case "user-agent":
                    userAgent = value;
                    break;
            }
        }

        return hosts == 1 || words[2] == "HTTP/1.0" ? new ConnectRequest(host, port, authorization, userAgent) : null;
    }

    private static bool TryAuthority(string text, out string host, out int port)
    {
        int colon = text.LastIndexOf(':');
        host = colon > 0 ? text[..colon].Trim('[', ']') : "";
        port = 0;
        return colon > 0 && text[colon - 1] != ':' && Authorities.IsValid(Encoding.ASCII.GetBytes(text))
            && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port);
    }
}

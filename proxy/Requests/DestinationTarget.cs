using System.Globalization;
using System.Text;

namespace Breakwater.Proxy.Requests;

/// <summary>
/// An absolute-form target outside CernVM-FS, in RFC 3986's characters; no user information, no fragment. Queries are allowed.
/// </summary>
/// <param name="Host">Name or address, IPv6 without brackets.</param>
/// <param name="Port">Port, 80 when none is written.</param>
/// <param name="Url">The whole URL, with a path.</param>
internal readonly record struct DestinationTarget(string Host, int Port, string Url)
{
    private const string Scheme = "http://";

    /// <summary>Parses a target as it stands in the request line. False: not of this form. Pure.</summary>
    public static bool TryParse(string target, out DestinationTarget parsed)
    {
        parsed = default;
        if (!target.StartsWith(Scheme, StringComparison.Ordinal) || target.Length > RequestTarget.MaxLength)
        {
            return false;
        }

        int end = target.IndexOfAny(['/', '?'], Scheme.Length);
        string authority = end < 0 ? target[Scheme.Length..] : target[Scheme.Length..end];
        string rest = end < 0 ? "/" : target[end] == '/' ? target[end..] : "/" + target[end..];
        if (!Ascii.IsValid(authority) || !Authorities.IsValid(Encoding.ASCII.GetBytes(authority)) || !IsClean(rest))
        {
            return false;
        }

        int colon = authority.LastIndexOf(':');
        bool hasPort = colon > 0 && authority[^1] != ']';
        string host = (hasPort ? authority[..colon] : authority).Trim('[', ']');
        parsed = new DestinationTarget(host, hasPort ? int.Parse(authority.AsSpan(colon + 1), CultureInfo.InvariantCulture) : 80,
            Scheme + authority + rest);
        return true;
    }

    private static bool IsClean(string path)
    {
        for (int i = 0; i < path.Length; i++)
        {
            char c = path[i];
            if (c == '%')
            {
                if (i + 2 >= path.Length || !char.IsAsciiHexDigit(path[i + 1]) || !char.IsAsciiHexDigit(path[i + 2]))
                {
                    return false;
                }

                i += 2;
            }
            else if (!char.IsAsciiLetterOrDigit(c) && !"-._~!$&'()*+,;=:@/?".Contains(c, StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }
}

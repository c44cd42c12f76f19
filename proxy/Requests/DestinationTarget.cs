using System.Globalization;
using System.Text;

namespace Breakwater.Proxy.Requests;

/// <summary>
/// A target outside CernVM-FS, in RFC 3986's characters and the brackets and bars that clients leave raw; no user information, no
/// fragment. Queries are allowed.
/// </summary>
/// <param name="Host">Name or address, IPv6 without brackets; empty only in origin form without a host.</param>
/// <param name="Port">Port, 80 when none is written.</param>
/// <param name="Authority">Both as they were written.</param>
/// <param name="PathAndQuery">As written, from the slash on.</param>
internal readonly record struct DestinationTarget(string Host, int Port, string Authority, string PathAndQuery)
{
    /// <summary>Longest target in characters: Frontier's URLs go to 8 KB, signed ones beyond.</summary>
    public const int MaxLength = 16 << 10;

    private const string Scheme = "http://";

    /// <summary>The whole URL.</summary>
    public string Url => Scheme + Authority + PathAndQuery;

    /// <summary>Parses a target in absolute form, as it stands in the request line. False: not of this form. Pure.</summary>
    public static bool TryParse(string target, out DestinationTarget parsed)
    {
        parsed = default;
        if (!target.StartsWith(Scheme, StringComparison.Ordinal) || target.Length > MaxLength)
        {
            return false;
        }

        int end = target.IndexOfAny(['/', '?'], Scheme.Length);
        string authority = end < 0 ? target[Scheme.Length..] : target[Scheme.Length..end];
        string rest = end < 0 ? "/" : target[end] == '/' ? target[end..] : "/" + target[end..];
        return TryMake(authority, rest, out parsed);
    }

    /// <summary>
    /// Puts a target in origin form together with the field <c>Host</c> (RFC 9112, 3.2.1). False: not in the grammar. Pure.
    /// </summary>
    /// <param name="target">As it stands in the request line.</param>
    /// <param name="host">The field; empty when there is none, as HTTP/1.0 may have it.</param>
    /// <param name="parsed">Where it leads.</param>
    public static bool TryParseOriginForm(string target, string host, out DestinationTarget parsed)
    {
        parsed = default;
        if (!target.StartsWith('/') || target.Length > MaxLength)
        {
            return false;
        }

        if (host.Length > 0)
        {
            return TryMake(host, target, out parsed);
        }

        parsed = new DestinationTarget("", 80, "", target);
        return IsClean(target);
    }

    private static bool TryMake(string authority, string pathAndQuery, out DestinationTarget parsed)
    {
        parsed = default;
        if (!Ascii.IsValid(authority) || !Authorities.IsValid(Encoding.ASCII.GetBytes(authority)) || !IsClean(pathAndQuery))
        {
            return false;
        }

        int colon = authority.LastIndexOf(':');
        bool hasPort = colon > 0 && authority[^1] != ']';
        string host = (hasPort ? authority[..colon] : authority).Trim('[', ']');
        int port = hasPort ? int.Parse(authority.AsSpan(colon + 1), CultureInfo.InvariantCulture) : 80;
        parsed = new DestinationTarget(host, port, authority, pathAndQuery);
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
            else if (!char.IsAsciiLetterOrDigit(c) && !"-._~!$&'()*+,;=:@/?[]|{}^".Contains(c, StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }
}

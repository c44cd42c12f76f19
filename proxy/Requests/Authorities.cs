using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace Breakwater.Proxy.Requests;

/// <summary>The grammar of <c>host[:port]</c>: a DNS name, an IPv4 address, or an IPv6 address in brackets; no user information.</summary>
internal static class Authorities
{
    /// <summary>What names of hosts and of repositories consist of.</summary>
    public static readonly SearchValues<byte> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_"u8);

    /// <summary>Is this a host with an optional port from 1 to 65535?</summary>
    public static bool IsValid(ReadOnlySpan<byte> authority)
    {
        int end = authority.IndexOf((byte)']') + 1; // the colons in brackets are an address's
        int colon = authority[end..].IndexOf((byte)':');
        return colon < 0
            ? IsHost(authority)
            : IsHost(authority[..(end + colon)]) && IsPort(authority[(end + colon + 1)..]);
    }

    /// <summary>Is this a host, and no port behind it?</summary>
    public static bool IsHost(ReadOnlySpan<byte> host) =>
        host.Length > 0 && host[0] == (byte)'[' ? host[^1] == (byte)']' && IsIpV6(host[1..^1]) : IsName(host);

    private static bool IsName(ReadOnlySpan<byte> host) =>
        host.Length is > 0 and <= 253 && host[0] is not ((byte)'.' or (byte)'-') && !host.ContainsAnyExcept(NameCharacters)
        && host.IndexOf(".."u8) < 0;

    private static bool IsIpV6(ReadOnlySpan<byte> address)
    {
        Span<char> text = stackalloc char[46];
        if (address.Length > 45)
        {
            return false;
        }

        for (int i = 0; i < address.Length; i++)
        {
            if (!(char.IsAsciiHexDigit((char)address[i]) || address[i] is (byte)':' or (byte)'.'))
            {
                return false;
            }

            text[i] = (char)address[i];
        }

        // Whole numbers and IPv4 addresses are parsed too; a URL with one of them in brackets is none (RFC 3986, 3.2.2).
        return IPAddress.TryParse(text[..address.Length], out IPAddress? parsed) && parsed.AddressFamily == AddressFamily.InterNetworkV6;
    }

    private static bool IsPort(ReadOnlySpan<byte> port)
    {
        if (port.Length is 0 or > 5)
        {
            return false;
        }

        int value = 0;
        foreach (byte c in port)
        {
            if (c is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            value = (value * 10) + (c - '0');
        }

        return value is > 0 and <= 65535;
    }
}

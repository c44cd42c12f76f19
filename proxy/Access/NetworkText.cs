using System.Net;
using System.Net.Sockets;

namespace Breakwater.Proxy.Access;

/// <summary>
/// Networks as settings have them, in CIDR form. What could be read in two ways is refused: a rule of access must mean what its reader
/// sees.
/// </summary>
internal static class NetworkText
{
    /// <summary>What is wrong with a network, to go behind its text; null: nothing.</summary>
    public static string? ProblemOf(string text)
    {
        string[] parts = text.Split('/');
        if (!IPAddress.TryParse(parts[0], out IPAddress? address) || parts[0].Contains('%', StringComparison.Ordinal)
            || address.ToString() != parts[0] && !IsPlainIPv6(address, parts[0]))
        {
            return "is not a network in CIDR form, such as 10.0.0.0/8 or fc00::/7.";
        }

        int bits = address.GetAddressBytes().Length * 8;
        if (parts.Length == 1)
        {
            return $"is an address; for it alone write {address}/{bits}.";
        }

        if (parts.Length > 2 || !int.TryParse(parts[1], System.Globalization.NumberStyles.None, null, out int prefix) || prefix > bits)
        {
            return $"is not a network in CIDR form: behind the / stands a number of bits, 0 to {bits}.";
        }

        IPAddress network = Mask(address, prefix);
        if (!network.Equals(address))
        {
            return $"has bits beyond its /{prefix}: write {network}/{prefix} for the network, or {address}/{bits} for the one address.";
        }

        // Clients with IPv4 addresses are compared as such.
        return address.IsIPv4MappedToIPv6 && prefix >= 96 ? $"is IPv4 in IPv6: write {address.MapToIPv4()}/{prefix - 96}." : null;
    }

    private static bool IsPlainIPv6(IPAddress address, string text) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId == 0
        && text.All(c => char.IsAsciiHexDigit(c) || c is ':' or '.');

    private static IPAddress Mask(IPAddress address, int prefix)
    {
        byte[] bytes = address.GetAddressBytes();
        for (int i = 0; i < bytes.Length; i++)
        {
            int kept = Math.Clamp(prefix - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xFF00 >> kept);
        }

        return new IPAddress(bytes);
    }
}

using System.Net;
using System.Net.Sockets;

namespace Breakwater.Proxy.Access;

/// <summary>Who counts as one client: an IPv4 address, or an IPv6 /64, of which a host has as many addresses as it likes.</summary>
internal static class ClientKey
{
    /// <summary>The client's key.</summary>
    public static IPAddress Of(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }
}

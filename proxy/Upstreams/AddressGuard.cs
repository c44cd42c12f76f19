using System.Net;
using System.Net.NetworkInformation;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Which addresses this proxy may connect to: never loopback, link-local, multicast, the metadata services of clouds, or itself, unless the settings say so.
/// Thread-safe.
/// </summary>
internal sealed class AddressGuard(IEnumerable<string> allowedNetworks, TimeProvider time)
{
    private static readonly TimeSpan s_ownAddressesAge = TimeSpan.FromSeconds(30);

    /// <summary>The last three: metadata and control of Alibaba Cloud, Azure, and AWS over IPv6; the others' are link-local.</summary>
    private static readonly IPNetwork[] s_forbidden = [.. new[]
    {
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/127", "fe80::/10", "ff00::/8",
        "100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128", "fd20:ce::254/128", "192.0.0.192/32",
        "64:ff9b:1::/48",
    }.Select(IPNetwork.Parse)];

    private static readonly IPNetwork s_nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork s_6to4 = IPNetwork.Parse("2002::/16");

    private volatile IPNetwork[] _allowed = Parse(allowedNetworks);
    private volatile HashSet<IPAddress> _own = [];   // replaced whole
    private long _ownReadAt = long.MinValue;         // Volatile; two threads may read at once, which does no harm

    /// <summary>New settings are in force.</summary>
    public void Replace(IEnumerable<string> allowedNetworks) => _allowed = Parse(allowedNetworks);

    /// <summary>May this address be connected to? IPv4 inside IPv6 (mapped, NAT64, 6to4) counts as IPv4.</summary>
    public bool Allows(IPAddress address)
    {
        IPAddress plain = Unwrap(address);
        if (Array.Exists(_allowed, n => n.Contains(plain)))
        {
            return true;
        }

        return !Array.Exists(s_forbidden, n => n.Contains(plain)) && !OwnAddresses().Contains(plain);
    }

    private static IPNetwork[] Parse(IEnumerable<string> networks) => [.. networks.Select(IPNetwork.Parse)];

    private static IPAddress Unwrap(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != System.Net.Sockets.AddressFamily.InterNetworkV6)
        {
            return address;
        }

        byte[] bytes = address.GetAddressBytes();
        return s_nat64.Contains(address) ? new IPAddress(bytes.AsSpan(12, 4))
            : s_6to4.Contains(address) ? new IPAddress(bytes.AsSpan(2, 4))
            : new IPAddress(bytes);   // without a scope
    }

    private HashSet<IPAddress> OwnAddresses()
    {
        long readAt = Volatile.Read(ref _ownReadAt);
        if (readAt == long.MinValue || time.GetElapsedTime(readAt) >= s_ownAddressesAge)
        {
            _own = [.. NetworkInterface.GetAllNetworkInterfaces()
                .SelectMany(i => i.GetIPProperties().UnicastAddresses)
                .Select(a => Unwrap(a.Address))];
            Volatile.Write(ref _ownReadAt, time.GetTimestamp());
        }

        return _own;
    }
}

using System.Net;
using System.Net.NetworkInformation;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Which addresses this proxy may connect to: never loopback, link-local, multicast, the metadata services of clouds, or itself, unless the
/// settings say so. Thread-safe.
/// </summary>
internal sealed class AddressGuard(IEnumerable<string> allowedNetworks, TimeProvider time)
{
    private static readonly TimeSpan s_ownAddressesAge = TimeSpan.FromSeconds(30);

    /// <summary>Never meant as an upstream, whoever names it.</summary>
    private static readonly IPNetwork[] s_forbidden = [.. new[]
    {
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/127", "fe80::/10", "ff00::/8",

        // Metadata and credentials of clouds: most are link-local (EC2, ECS and EKS at 169.254.170.x, GCP, Azure); these are not. Alibaba,
        // Azure's wire server, Oracle; over IPv6 AWS (metadata ::254, EKS pod identity ::23, and all else of that network), Google, Oracle,
        // Scaleway, Linode.
        "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32",
        "fd00:ec2::/32", "fd20:ce::254/128", "fd00:c1::a9fe:a9fe/128", "fd00:42::42/128", "fd00:a9fe:a9fe::1/128",

        // Local NAT64: what it leads to is not to be seen from here.
        "64:ff9b:1::/48",
    }.Select(IPNetwork.Parse)];

    /// <summary>
    /// IPv6 that carries an IPv4 address, and the byte at which it begins: NAT64, translated (RFC 2765), compatible (RFC 4291, 2.5.5.1),
    /// 6to4.
    /// </summary>
    private static readonly (IPNetwork Network, int At)[] s_carriers =
        [(IPNetwork.Parse("64:ff9b::/96"), 12), (IPNetwork.Parse("::ffff:0:0:0/96"), 12), (IPNetwork.Parse("::/96"), 12),
        (IPNetwork.Parse("2002::/16"), 2)];

    private static readonly IPNetwork s_teredo = IPNetwork.Parse("2001::/32");

    private volatile IPNetwork[] _allowed = Parse(allowedNetworks);
    private volatile HashSet<IPAddress> _own = [];   // replaced whole
    private long _ownReadAt = long.MinValue;         // Volatile; two threads may read at once, which does no harm

    /// <summary>New settings are in force.</summary>
    public void Replace(IEnumerable<string> allowedNetworks) => _allowed = Parse(allowedNetworks);

    /// <summary>
    /// May this address be connected to? IPv4 inside IPv6 (mapped, translated, compatible, NAT64, 6to4, Teredo, ISATAP) counts as IPv4.
    /// </summary>
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

    /// <summary>The address that counts, without a scope: of IPv4 inside IPv6 the IPv4.</summary>
    internal static IPAddress Unwrap(IPAddress address)
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
        var plain = new IPAddress(bytes);   // without a scope
        if (plain.Equals(IPAddress.IPv6Any) || plain.Equals(IPAddress.IPv6Loopback))
        {
            return plain;
        }

        foreach ((IPNetwork network, int at) in s_carriers)
        {
            if (network.Contains(plain))
            {
                return new IPAddress(bytes.AsSpan(at, 4));
            }
        }

        if (s_teredo.Contains(plain))
        {
            // The client's address stands there with each bit turned (RFC 4380, 4).
            return new IPAddress([.. bytes[12..].Select(b => (byte)~b)]);
        }

        // ISATAP (RFC 5214, 6.1), in any network.
        return (bytes[8] & 0xfc) == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == 0xfe
            ? new IPAddress(bytes.AsSpan(12, 4))
            : plain;
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

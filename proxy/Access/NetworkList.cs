using System.Net;

namespace Breakwater.Proxy.Access;

/// <summary>Networks of the settings, which <see cref="NetworkText"/> has found right. Immutable.</summary>
internal sealed class NetworkList(IEnumerable<string> networks)
{
    private readonly IPNetwork[] _networks = [.. networks.Select(IPNetwork.Parse)];

    /// <summary>Is there none at all?</summary>
    public bool IsEmpty => _networks.Length == 0;

    /// <summary>Is the address in one of the networks? An IPv4 address inside IPv6 counts as IPv4.</summary>
    public bool Contains(IPAddress address)
    {
        if (_networks.Length == 0)
        {
            return false;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        foreach (IPNetwork network in _networks)
        {
            if (network.Contains(address))
            {
                return true;
            }
        }

        return false;
    }
}

using System.Net;

namespace Breakwater.Proxy.Access;

/// <summary>Decides by address which clients may use the proxy. Thread-safe; the networks are replaced whole.</summary>
internal sealed class ClientAccess(IEnumerable<string> networks)
{
    private volatile IPNetwork[] _networks = Parse(networks);

    /// <summary>New settings are in force.</summary>
    public void Replace(IEnumerable<string> networks) => _networks = Parse(networks);

    /// <summary>
    /// Is the client in one of the networks? An IPv4 address inside IPv6 counts as IPv4; no address (not TCP) is refused.
    /// </summary>
    public bool Allows(IPAddress? client)
    {
        if (client is null)
        {
            return false;
        }

        if (client.IsIPv4MappedToIPv6)
        {
            client = client.MapToIPv4();
        }

        foreach (IPNetwork network in _networks)
        {
            if (network.Contains(client))
            {
                return true;
            }
        }

        return false;
    }

    private static IPNetwork[] Parse(IEnumerable<string> networks) => [.. networks.Select(IPNetwork.Parse)];
}

using System.Net;

namespace Breakwater.Proxy.Access;

/// <summary>Decides by address which clients may use the proxy. Thread-safe; the networks are replaced whole.</summary>
internal sealed class ClientAccess(IEnumerable<string> networks)
{
    private volatile NetworkList _networks = new(networks);

    /// <summary>New settings are in force.</summary>
    public void Replace(IEnumerable<string> networks) => _networks = new NetworkList(networks);

    /// <summary>
    /// Is the client in one of the networks? An IPv4 address inside IPv6 counts as IPv4; no address (not TCP) is refused.
    /// </summary>
    public bool Allows(IPAddress? client) => client is not null && _networks.Contains(client);
}

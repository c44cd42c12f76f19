using System.Net;

namespace Breakwater.Proxy.Upstreams;

/// <summary>Tells the addresses of a host.</summary>
internal interface IHostNames
{
    /// <summary>The addresses, best first; may be empty.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">There is no such name, or nobody to ask.</exception>
    Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken);
}

/// <summary>Asks the system's resolver.</summary>
internal sealed class SystemHostNames : IHostNames
{
    public Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) => Dns.GetHostAddressesAsync(host, cancellationToken);
}

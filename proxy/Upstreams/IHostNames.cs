using System.Net;

namespace Breakwater.Proxy.Upstreams;

/// <summary>Tells the addresses of a host.</summary>
internal interface IHostNames
{
    /// <summary>The addresses, best first; may be empty.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">There is no such name, or nobody to ask.</exception>
    Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken);
}

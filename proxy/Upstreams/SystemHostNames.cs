using System.Net;

namespace Breakwater.Proxy.Upstreams;

/// <summary>Asks the system's resolver.</summary>
internal sealed class SystemHostNames : IHostNames
{
    public Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) =>
        Dns.GetHostAddressesAsync(host, cancellationToken);
}

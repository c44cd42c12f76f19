using System.Net;

namespace Breakwater.Proxy.EventLoops.KestrelSide;

/// <summary>
/// Where TLS is spoken, as Kestrel names the places that it has a transport bind. Filled while Kestrel is configured, before it binds.
/// </summary>
internal sealed class TlsEndPoints
{
    private readonly List<EndPoint> _all = [];

    /// <summary>TLS is spoken there.</summary>
    public void Add(EndPoint endPoint) => _all.Add(endPoint);

    /// <summary>
    /// Is TLS spoken there? Endpoints with port 0 are compared by reference, since they look alike. An endpoint for all interfaces also
    /// stands for the IPv4 one that Kestrel binds where IPv6 is missing.
    /// </summary>
    public bool Contains(EndPoint endPoint) => _all.Exists(tls => ReferenceEquals(tls, endPoint)
        || (tls is IPEndPoint { Port: > 0 } known && endPoint is IPEndPoint bound && known.Port == bound.Port
        && (known.Equals(bound) || known.Address.Equals(IPAddress.IPv6Any))));
}

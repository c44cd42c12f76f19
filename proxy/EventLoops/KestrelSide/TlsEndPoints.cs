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
    /// Is TLS spoken there? Of two places with port 0 only the very one counts; all interfaces may have become those of IPv4.
    /// </summary>
    public bool Contains(EndPoint endPoint) => _all.Exists(tls => ReferenceEquals(tls, endPoint)
        || (tls is IPEndPoint { Port: > 0 } known && endPoint is IPEndPoint bound && known.Port == bound.Port
        && (known.Equals(bound) || known.Address.Equals(IPAddress.IPv6Any))));
}

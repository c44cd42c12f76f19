using Breakwater.CacheStore;

namespace Breakwater.Proxy.Settings;

/// <summary>Section <c>Access</c>: who may use this proxy, and for what. Deny by default. Reloaded while it runs.</summary>
internal sealed class AccessOptions
{
    /// <summary>Loopback, private (RFC 1918, RFC 4193), shared (RFC 6598) and link-local addresses.</summary>
    public static readonly string[] DefaultClients =
        ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "::1/128", "fc00::/7",
        "fe80::/10"];

    /// <summary>Client networks in CIDR form. Empty: <see cref="DefaultClients"/>.</summary>
    public string[] Clients { get; set; } = [];

    /// <summary>
    /// Hosts besides CernVM-FS that clients may ask for by the methods of <c>Http:Methods</c>: <c>host</c>, <c>host:port</c>,
    /// <c>*.domain:port</c> or, for any port, <c>host:*</c>; port 80 when none is given. Default none: this is no open proxy.
    /// </summary>
    public string[] Destinations { get; set; } = [];

    /// <summary>
    /// Hosts to which clients may open a tunnel by CONNECT: <c>host</c>, <c>host:port</c> or <c>*.domain:port</c>; port 443 when none is
    /// given. What goes through a tunnel is neither seen nor stored. Default none.
    /// </summary>
    public string[] Connect { get; set; } = [];

    /// <summary>
    /// Networks in CIDR form that may be connected to though they are loopback, link-local, metadata or this machine. A Stratum 1 or parent
    /// proxy whose address is written out in its setting needs no entry. Default none.
    /// </summary>
    public string[] AllowedUpstreams { get; set; } = [];

    /// <summary>
    /// User names with passwords, plain or <c>sha256:</c> and the hex digest. Default none: nobody is asked. With one, every request needs
    /// <c>Proxy-Authorization: Basic</c>.
    /// </summary>
    public Dictionary<string, string> Users { get; set; } = [];

    /// <summary>
    /// Connections at a time of one client (an IPv4 address, an IPv6 /64). Default 0: no limit, since a site may sit behind one address.
    /// </summary>
    [Between(0, 1_000_000, "connections (0: no limit)")]
    public int MaxConnectionsPerClient { get; set; }

    /// <summary>
    /// Requests a second of one client; who is faster waits up to 2 s, then gets 429. Hits count only where they take the ordinary path.
    /// Default 0: no limit.
    /// </summary>
    [Between(0, 1_000_000, "requests (0: no limit)")]
    public int MaxRequestsPerSecondPerClient { get; set; }

    /// <summary>The networks in force.</summary>
    public string[] EffectiveClients => Clients.Length == 0 ? DefaultClients : Clients;
}

namespace Breakwater.Proxy.Settings;

/// <summary>Section <c>Access</c>: who may use this proxy. Deny by default.</summary>
internal sealed class AccessOptions
{
    /// <summary>Loopback, private (RFC 1918, RFC 4193), shared (RFC 6598) and link-local addresses.</summary>
    public static readonly string[] DefaultClients =
        ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10"];

    /// <summary>Client networks in CIDR form. Empty: <see cref="DefaultClients"/>.</summary>
    public string[] Clients { get; set; } = [];

    /// <summary>The networks in force.</summary>
    public string[] EffectiveClients => Clients.Length == 0 ? DefaultClients : Clients;
}

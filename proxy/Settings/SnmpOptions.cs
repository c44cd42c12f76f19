using System.Net;

namespace Breakwater.Proxy.Settings;

/// <summary>Section <c>Snmp</c>: the squid MIB's main counters, for sites whose monitoring asks a squid by SNMP.</summary>
internal sealed class SnmpOptions
{
    /// <summary>Those who may ask by default: this host.</summary>
    public static readonly string[] DefaultClients = ["127.0.0.0/8", "::1/128"];

    /// <summary>
    /// UDP address with a port, usually <c>127.0.0.1:3401</c>, or <c>[::]:3401</c> for other hosts in <see cref="Clients"/>. Null or empty,
    /// the default: no SNMP.
    /// </summary>
    public string? Listen { get; set; }

    /// <summary>
    /// The community (v1, v2c) that a request must name, 1 to 64 printable ASCII characters. It crosses the network in clear text: no
    /// secret. No default.
    /// </summary>
    public string? Community { get; set; }

    /// <summary>Networks in CIDR form that may ask; others get no answer. Empty: <see cref="DefaultClients"/>.</summary>
    public string[] Clients { get; set; } = [];

    /// <summary>The networks in force.</summary>
    public string[] EffectiveClients => Clients.Length == 0 ? DefaultClients : Clients;

    /// <summary>The parsed <see cref="Listen"/>; null when there is no SNMP.</summary>
    public IPEndPoint? ListenEndPoint() => string.IsNullOrEmpty(Listen) ? null : IPEndPoint.Parse(Listen);
}

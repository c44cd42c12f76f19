using System.Net;
using Breakwater.CacheStore;

namespace Breakwater.Proxy.Settings;

/// <summary>Section <c>Cluster</c>: the site's nodes that are one cache together. Without nodes there is no cluster.</summary>
internal sealed class ClusterOptions
{
    /// <summary>
    /// The nodes' ports, the same list on every node, itself included: <c>https://squid1.example.org:3129</c>; or one name that has the
    /// addresses of all, <c>dns://breakwater-nodes:3129</c>. Default none: a single node, which opens no port and asks nobody.
    /// </summary>
    public string[] Nodes { get; set; } = [];

    /// <summary>This node's id; it stays the same when its address changes. Default: the host's name.</summary>
    public string? Name { get; set; }

    /// <summary>Nodes of another site are not taken for this one's, even with a certificate of the same authority.</summary>
    public string Site { get; set; } = "default";

    /// <summary>Where the other nodes ask; never for clients.</summary>
    public string Listen { get; set; } = "[::]:3129";

    /// <summary>PEM file with this node's certificate, whose name is <see cref="Name"/>, and its private key.</summary>
    public string? Certificate { get; set; }

    /// <summary>PEM file with the authorities whose certificates other nodes may show.</summary>
    public string? TrustedCertificates { get; set; }

    /// <summary>Networks in CIDR form from which nodes may connect. Empty, the default: any; the certificate decides.</summary>
    public string[] AllowedNodes { get; set; } = [];

    /// <summary>How often each node is asked whether it is alive. Default 2 s.</summary>
    [Between("00:00:00.050", "00:01:00")]
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a node may take to say so: longer than a busy node takes. Default 5 s.</summary>
    [Between("00:00:00.050", "00:01:00")]
    public TimeSpan ProbeTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>So many failed probes in a row, and it leaves the ring. Default 3.</summary>
    [Between(1, 100, "probes")]
    public int ProbeFailures { get; set; } = 3;

    /// <summary>
    /// How long the owner of an object may take to begin its answer before the second node is asked, which has half as long. Default 1 s:
    /// a Stratum 1 can still be asked within <see cref="ProxyOptions.AnswerTimeout"/>.
    /// </summary>
    [Between("00:00:00.010", "00:01:00")]
    public TimeSpan HeadTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>This node's share against the others' weights, such as its disk in TB. Default 1.</summary>
    public double Weight { get; set; } = 1;

    /// <summary>Is there a cluster?</summary>
    public bool IsOn => Nodes.Length > 0;

    /// <summary>The id in force.</summary>
    public string Id => string.IsNullOrEmpty(Name) ? Environment.MachineName : Name;

    /// <summary>The parsed <see cref="Listen"/>.</summary>
    public IPEndPoint ListenEndPoint() => IPEndPoint.Parse(Listen);
}

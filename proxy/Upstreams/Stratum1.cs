using Breakwater.Proxy.Settings;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Upstreams;

/// <summary>One Stratum 1 of a cluster, with the HTTP client that reaches it.</summary>
internal sealed record Stratum1(ClusterState Cluster, DestinationState Destination, HttpMessageInvoker Client)
{
    private static readonly UriCreationOptions s_asWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <summary>The root URL, without a slash at its end; repositories are at <c>/cvmfs/</c> below it.</summary>
    public string Root { get; } = Destination.Model.Config.Address.TrimEnd('/');

    /// <summary>The URL of a path, byte for byte: what was parsed and checked is what is asked for.</summary>
    public Uri UrlOf(string path) => new(Root + path, s_asWritten);

    /// <summary>Is it no Stratum 1 but another node of the site?</summary>
    public bool IsNode { get; } = Cluster.ClusterId == ClusterCheck.ReservedCluster;

    /// <summary>Host and port as the setting has them.</summary>
    public string Authority { get; } = new Uri(Destination.Model.Config.Address).Authority;
}

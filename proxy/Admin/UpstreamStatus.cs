using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Admin;

/// <summary>A Stratum 1, and what is known of it.</summary>
internal sealed record UpstreamStatus(string Cluster, string Name, string Upstream, Stratum1State State);

using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Admin;

/// <summary>A Stratum 1, and what is known of it.</summary>
/// <param name="Cluster">Its cluster.</param>
/// <param name="Name">Its name in the settings.</param>
/// <param name="Upstream">Host and port.</param>
/// <param name="State">What is known.</param>
/// <param name="IsInUse">Is its cluster named by the site's own settings, or has a client asked for it?</param>
internal sealed record UpstreamStatus(string Cluster, string Name, string Upstream, Stratum1State State, bool IsInUse);

using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Observability.AccessLogs;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Yarp.ReverseProxy;

namespace Breakwater.Proxy.Admin;

/// <summary>A Stratum 1, and what is known of it.</summary>
internal sealed record UpstreamStatus(string Cluster, string Name, string Upstream, Stratum1State State);

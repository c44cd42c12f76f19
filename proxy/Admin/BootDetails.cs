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

/// <summary>A boot with its requests.</summary>
internal sealed record BootDetails(BootView Boot, IReadOnlyList<BootRequestView> Requests);

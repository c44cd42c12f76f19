using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Fetching;

/// <summary>What every fetch works with.</summary>
internal sealed record FetchServices(
    UpstreamClient Client,
    FetchQueue Queue,
    NodeLine NodeLine,
    FetchBodies Bodies,
    ProxyOptions Options,
    ProxyCounters Counters,
    TimeProvider Time);

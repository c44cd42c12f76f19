using Breakwater.CacheStore;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Fetching;

/// <summary>What every fetch works with.</summary>
internal sealed record FetchServices(
    IObjectStore Store,
    UpstreamClient Client,
    UpstreamPace Pace,
    FetchQueue Queue,
    NodeLine NodeLine,
    ISiteNodes Nodes,
    OverflowBudget Overflow,
    ProxyOptions Options,
    BreakwaterSettings Settings,
    ProxyCounters Counters,
    TimeProvider Time,
    ILogger<InFlightFetch> Log)
{
    /// <summary>Told of each object as soon as it is whole and right; set before the first fetch. It must not wait.</summary>
    public Action<FetchOrder>? Verified { get; set; }
}

using Breakwater.Proxy.Fetching;

namespace Breakwater.Proxy.Exchanges;

/// <summary>How much of ordinary HTTP is under way at a time, apart from what is fetched of Stratum 1s.</summary>
/// <param name="maxFetches">Requests to origins at a time.</param>
internal sealed class ExchangeLimits(int maxFetches)
{
    /// <summary>Who waits, and in which order he is let in.</summary>
    public FetchQueue Queue { get; } = new(maxFetches, prefetchLimit: 0);
}

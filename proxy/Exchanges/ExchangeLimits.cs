using Breakwater.Proxy.Fetching;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// How much of ordinary HTTP and of external files is under way at a time, apart from each other and from the objects of Stratum 1s.
/// </summary>
/// <param name="maxFetches">Requests to origins at a time.</param>
/// <param name="maxFiles">Requests to Stratum 1s for external files at a time.</param>
/// <param name="clusters">Clusters whose Stratum 1s are asked: one that is silent takes no other's places.</param>
internal sealed class ExchangeLimits(int maxFetches, int maxFiles, IEnumerable<string> clusters)
{
    /// <summary>Those that ask Stratum 1s for external files.</summary>
    public FetchQueue Files { get; } = new(maxFiles, prefetchLimit: 0, clusters);

    /// <summary>Who waits, and in which order he is let in.</summary>
    public FetchQueue Queue { get; } = new(maxFetches, prefetchLimit: 0) { AreClustersOpen = true };
}

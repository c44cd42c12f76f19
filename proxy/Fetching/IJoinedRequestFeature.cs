using Breakwater.CacheStore;

namespace Breakwater.Proxy.Fetching;

/// <summary>A connection's feature: what its hit path had begun with the request that the ordinary path now has.</summary>
internal interface IJoinedRequestFeature
{
    /// <summary>Hands over the joined request for an object; null: there is none. The caller disposes its follower.</summary>
    JoinedRequest? Take(in ObjectKey key);

    /// <summary>
    /// When the loop had the head of the request that it handed over, as <see cref="TimeProvider.GetTimestamp"/>; once, then 0: not known.
    /// </summary>
    long TakeStart();
}

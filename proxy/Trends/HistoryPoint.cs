namespace Breakwater.Proxy.Trends;

/// <summary>What went through the proxy in one interval.</summary>
/// <param name="At">Begin of the interval, in seconds since 1970.</param>
/// <param name="Requests">Requests that ended.</param>
/// <param name="Hits">Of those asked of the cache, answered without asking another server.</param>
/// <param name="Misses">Of those asked of the cache, all others.</param>
/// <param name="Refused">Refused by access rules or grammar.</param>
/// <param name="SentBytes">Body bytes to clients.</param>
/// <param name="UpstreamBytes">Body bytes from Stratum 1s.</param>
internal readonly record struct HistoryPoint(
    long At, long Requests, long Hits, long Misses, long Refused, long SentBytes, long UpstreamBytes)
{
    /// <summary>What was added since an earlier look; nothing is negative.</summary>
    public HistoryPoint Since(in HistoryPoint before) => new(
        At,
        Math.Max(0, Requests - before.Requests),
        Math.Max(0, Hits - before.Hits),
        Math.Max(0, Misses - before.Misses),
        Math.Max(0, Refused - before.Refused),
        Math.Max(0, SentBytes - before.SentBytes),
        Math.Max(0, UpstreamBytes - before.UpstreamBytes));

    /// <summary>Both together, at the time of this one.</summary>
    public HistoryPoint And(in HistoryPoint other) => new(
        At, Requests + other.Requests, Hits + other.Hits, Misses + other.Misses, Refused + other.Refused, SentBytes + other.SentBytes,
        UpstreamBytes + other.UpstreamBytes);
}

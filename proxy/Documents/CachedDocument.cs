using Breakwater.CacheStore;

namespace Breakwater.Proxy.Documents;

/// <summary>A document as it came from a Stratum 1; immutable.</summary>
/// <param name="Body">Its bytes.</param>
/// <param name="ContentType">As the Stratum 1 sent it.</param>
/// <param name="Lifetime">How long it is fresh after <paramref name="CheckedAt"/>.</param>
/// <param name="CheckedAt">When we last had it from a Stratum 1.</param>
/// <param name="InitialAge">The Age with which it came, from caches before us.</param>
/// <param name="Upstream">Host and port that sent it; null when made here.</param>
/// <param name="IsVerified">Its signature was verified (manifest and whitelist only).</param>
internal sealed record CachedDocument(
    ReadOnlyMemory<byte> Body, string ContentType, TimeSpan Lifetime, Moment CheckedAt, TimeSpan InitialAge, string? Upstream,
    bool IsVerified = false)
{
    /// <summary>What it takes in memory.</summary>
    public int Cost => HeapCost.Of(Body) + HeapCost.Of(ContentType) + HeapCost.Of(Upstream) + HeapCost.Entry;

    /// <summary>RFC 9111, 4.2.3, in whole seconds.</summary>
    public long AgeSeconds(TimeProvider time) => Math.Max(0, (long)(InitialAge + CheckedAt.Age(time)).TotalSeconds);

    /// <summary>Was it checked recently enough?</summary>
    public bool IsFresh(TimeProvider time) => CheckedAt.Age(time) < Lifetime;
}

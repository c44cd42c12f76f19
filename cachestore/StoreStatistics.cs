using Breakwater.CacheStore.Quotas;

namespace Breakwater.CacheStore;

/// <summary>
/// How a store stands: a snapshot. Bytes unless named otherwise; counts since the start of the process unless they describe the present.
/// </summary>
public sealed record StoreStatistics
{
    /// <summary>Objects in the store now.</summary>
    public long Objects { get; init; }

    /// <summary>Documents in the store now.</summary>
    public long Documents { get; init; }

    /// <summary>What the segments may take.</summary>
    public long QuotaBytes { get; init; }

    /// <summary>What they take now.</summary>
    public long UsedBytes { get; init; }

    /// <summary>Of it, segments of new objects.</summary>
    public long FreshBytes { get; init; }

    /// <summary>Of it, segments of objects that proved themselves or are pinned.</summary>
    public long KeptBytes { get; init; }

    /// <summary>Pinned objects that are here.</summary>
    public long PinnedBytes { get; init; }

    /// <summary>What each party takes whose objects are counted together.</summary>
    public IReadOnlyList<ShareUse> Shares { get; init; } = [];

    /// <summary>Objects' bytes that were stored.</summary>
    public long StoredBytes { get; init; }

    /// <summary>Objects' bytes that the cleaner wrote again. Write amplification = 1 + this / <see cref="StoredBytes"/>.</summary>
    public long RewrittenBytes { get; init; }

    /// <summary>Objects that were evicted.</summary>
    public long EvictedObjects { get; init; }

    /// <summary>Objects that were found damaged and forgotten.</summary>
    public long DamagedObjects { get; init; }

    /// <summary>Why the disk refuses writes; null: it takes them.</summary>
    public string? WriteFailure { get; init; }
}

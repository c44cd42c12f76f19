using Breakwater.CacheStore;

namespace Breakwater.Proxy.Admin;

/// <summary>A store whose disk takes no more.</summary>
/// <param name="statistics">Reads the store's statistics.</param>
internal sealed class StoreHealth(Func<StoreStatistics> statistics) : IHealthSource
{
    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find() => statistics().WriteFailure is { } failure
        ? [new HealthFinding("store-read-only", HealthLevel.Degraded, $"The store's disk refuses writes: {failure} What is stored is served, new objects pass through unstored; it is tried again by itself. Free space, or look at the disk.")]
        : [];
}

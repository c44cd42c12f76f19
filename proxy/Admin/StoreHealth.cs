using Breakwater.CacheStore;
using Breakwater.Proxy.Observability;

namespace Breakwater.Proxy.Admin;

/// <summary>A store whose disk takes no more, or that was deleted under the process.</summary>
/// <param name="statistics">Reads the store's statistics.</param>
/// <param name="missing">What of the store is gone; null: nothing.</param>
internal sealed class StoreHealth(Func<StoreStatistics> statistics, Func<string?> missing) : IHealthSource
{
    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find() => missing() is { } gone
        ? [new HealthFinding("store-missing", HealthLevel.Unready,
        $"{gone} What is open is still served, but nothing of it is kept. Restart Breakwater: it begins a store anew there.")]
        : Refused();

    private IEnumerable<HealthFinding> Refused() => statistics().WriteFailure is { } failure
        ? [new HealthFinding("store-read-only", HealthLevel.Degraded,
        $"The store's disk refuses writes: {failure} What is stored is served, new objects pass through unstored; it is tried again by "
        + $"itself. Free space, or look at the disk.")]
        : [];
}

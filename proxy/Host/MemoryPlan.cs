using System.Globalization;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.WorkingSets;

namespace Breakwater.Proxy.Host;

/// <summary>
/// The heap that the process may take by its settings: the sum of the bounds of docs/develop/memory-bounds.md. The runtime is held to it,
/// so that a bound that is missing ends this process, which starts again in a second, and not others on the host. Immutable.
/// </summary>
/// <param name="WantedBytes">What the settings add up to.</param>
/// <param name="LimitBytes">What the heap is held to: that, or the share of this machine (or container) that leaves room for the page
/// cache.</param>
internal sealed record MemoryPlan(long WantedBytes, long LimitBytes)
{
    /// <summary>A heap needs room beyond what is alive, or it is collected all the time.</summary>
    private const double Headroom = 1.5;

    /// <summary>
    /// Of what the runtime finds that it may take: the rest is for the page cache, which serves the hits, and for memory that is not the
    /// heap.
    /// </summary>
    private const double ShareOfMachine = 0.75;

    /// <summary>Runtime, code, settings, metrics, and all that is small.</summary>
    private const long FixedBytes = 256L << 20;

    /// <summary>
    /// A connection: its objects, a head of 16 KiB at most, what it has not read of an answer. Most have none of the two.
    /// </summary>
    private const long ConnectionBytes = 24 << 10;

    /// <summary>A fetch beside what the store stages: its own mebibyte of an unstored body, and buffers.</summary>
    private const long FetchBytes = (1 << 20) + (512 << 10);

    /// <summary>
    /// Trails, learned and resolved sets, profiles, a resolution under way; extents and the log's pages of the store; an import of a seed;
    /// guesses.
    /// </summary>
    private const long OtherRoomsBytes = (64L + 100 + 60 + 60 + 512 + 64 + 48 + 256 + 64) << 20;

    /// <summary>What the settings add up to on this machine.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="connections">Client connections that may be open.</param>
    /// <param name="quotaBytes">The store's quota.</param>
    /// <param name="processors">Processors.</param>
    /// <param name="machineBytes">What the runtime finds that it may take, before it is told.</param>
    public static MemoryPlan Of(BreakwaterSettings settings, int connections, long quotaBytes, int processors, long machineBytes)
    {
        long alive = FixedBytes + OtherRoomsBytes
            + settings.Store.HeapBytes(quotaBytes)
            + settings.Store.NamedHeapBytes(quotaBytes)
            + ((settings.HasOrdinaryHttp ? 2 : 1) * settings.Http.MaxConcurrentFetches * FetchBytes) // external files have as many
            + (connections * ConnectionBytes)
            + (settings.Proxy.MaxConcurrentFetches * FetchBytes)
            + settings.Proxy.MaxUnstoredBytes
            + DocumentCache.MaxDocumentBytes + DocumentCache.MaxGeoBytes + DocumentCache.MaxFailureBytes
            + ShownPairs.MaxBytes + DocumentArchive.MaxBytes + ObjectNames.MaxBytes
            + (2 * BootTimelines.MaxDetailTextBytes)
            + (2L * Math.Min(processors, 16) * (Observability.RequestRecorder.StripeTextBytes + (2 << 20)));
        long wanted = (long)(Headroom * alive);
        return new MemoryPlan(wanted, Math.Min(wanted, (long)(ShareOfMachine * machineBytes)));
    }

    /// <summary>
    /// Holds the runtime's heap to the limit from now on, unless the environment has one for it. Gives the limit in force.
    /// </summary>
    public long Apply()
    {
        if (!IsGivenByEnvironment())
        {
            AppContext.SetData("GCHeapHardLimit", (ulong)LimitBytes);
            GC.RefreshMemoryLimit();
        }

        GC.Collect(0, GCCollectionMode.Forced); // the figure is that of the last collection
        return GC.GetGCMemoryInfo(GCKind.Any).TotalAvailableMemoryBytes;
    }

    /// <summary>A sentence for the log.</summary>
    public static string Describe(long limitBytes, long wantedBytes) => string.Create(
        CultureInfo.InvariantCulture,
        $"The heap is held to {limitBytes >> 20} MiB; the settings add up to {wantedBytes >> 20} MiB (docs/operate/sizing.md). "
        + $"What is beyond serves hits from the page cache.");

    private static bool IsGivenByEnvironment() =>
        ((string[])["DOTNET_GCHeapHardLimit", "DOTNET_GCHeapHardLimitPercent"]).Any(name =>
        !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name)));
}

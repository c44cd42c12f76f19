using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Space;

/// <summary>
/// Which objects live on when their segment is cleaned. After S3-FIFO: new objects queue in the fresh log; those asked for again move to
/// the kept segments, those of one use leave, and are remembered for a while (<see cref="GhostTable"/>). Pure; the simulator in
/// perf/StoreSim runs the same rules.
/// </summary>
internal static class EvictionPolicy
{
    /// <summary>Hits beyond this count no more: what was hot last month may cool down within a few rounds.</summary>
    public const int MaxFrequency = Segment.MostUses;

    /// <summary>Share of the quota that new objects have before the oldest must prove themselves. S3-FIFO's 10 %.</summary>
    public const double FreshShare = 0.10;

    /// <summary>
    /// A kept segment of which more is worth keeping stays where it is for another round, its objects a little cooler: writing it again
    /// would win little.
    /// </summary>
    public const double MostKeptOfSegment = 0.6;

    /// <summary>
    /// New objects have at least so many segments, so that an object of many parts is not cleaned away behind its own writer.
    /// </summary>
    public const int FewestFreshSegments = 6;

    /// <summary>What a new object starts with: one that left recently and comes back has proven itself.</summary>
    public static int InitialFrequency(bool wasSeenRecently) => wasSeenRecently ? 1 : 0;

    /// <summary>Does an unpinned object of the fresh log move to the kept segments?</summary>
    /// <param name="frequency">How often it was asked for.</param>
    /// <param name="isElsewhere">Another machine of the site keeps it as well: only what is hot here is worth a second place.</param>
    public static bool IsKeptFromFresh(int frequency, bool isElsewhere = false) => frequency >= (isElsewhere ? 2 : 1);

    /// <summary>Does an unpinned object of a kept segment stay for another round?</summary>
    /// <inheritdoc cref="IsKeptFromFresh" path="/param"/>
    public static bool IsKeptAgain(int frequency, bool isElsewhere = false) => frequency >= (isElsewhere ? 2 : 1);

    /// <summary>What it has left after the round.</summary>
    public static int AfterRound(int frequency) => Math.Max(0, frequency - 1);

    /// <summary>Whose turn is it: the fresh log's oldest segment, or the oldest kept one?</summary>
    public static bool IsFreshNext(long freshBytes, long keptBytes, long quotaBytes, long segmentBytes) =>
        keptBytes == 0 || freshBytes > Math.Max(FreshShare * quotaBytes, FewestFreshSegments * segmentBytes);
}

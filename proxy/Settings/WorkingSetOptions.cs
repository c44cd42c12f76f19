using Breakwater.CacheStore;

namespace Breakwater.Proxy.Settings;

/// <summary>Section <c>WorkingSets</c>: what boots read, fetched before they ask.</summary>
internal sealed class WorkingSetOptions
{
    /// <summary>Learn from the boots that this proxy serves. Default true.</summary>
    public bool Learn { get; set; } = true;

    /// <summary>
    /// How long a boot is recorded from its first request on, 10 s to 1 h. Default 5 min: a slow link, a pause. A boot that goes on longer
    /// is said in the log.
    /// </summary>
    [Between("00:00:10", "01:00:00")]
    public TimeSpan BootWindow { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Fetch a new revision's working set before clients ask. Default true.</summary>
    public bool Prefetch { get; set; } = true;

    /// <summary>
    /// While a repository boots of which nothing was learned, fetch what its catalogs, programs and scripts say comes next. Default true;
    /// false: a first boot asks its Stratum 1 for exactly what it needs.
    /// </summary>
    public bool Guess { get; set; } = true;

    /// <summary>
    /// How long a new revision is held back until its working set is here, 0 to 600 s; 0: never. Default 30 s: less than the time for which
    /// a client uses a manifest anyway.
    /// </summary>
    [Between("00:00:00", "00:10:00")]
    public TimeSpan Hold { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Prefetches at a time, 1 to 256. Default 8: enough to fill a distant link, few enough that a Stratum 1 does not mind.
    /// </summary>
    [Between(1, 256, "prefetches")]
    public int MaxConcurrentPrefetches { get; set; } = 8;
}

using Breakwater.CacheStore.Quotas;

namespace Breakwater.Proxy.Settings;

/// <summary>
/// One repository or domain in section <c>Repositories</c>: the key is a name (<c>atlas.cern.ch</c>) or a domain (<c>*.cern.ch</c>).
/// A repository that no key matches is refused.
/// </summary>
internal sealed class RepositoryOptions
{
    /// <summary>The YARP cluster (<c>ReverseProxy:Clusters</c>) whose destinations are the repository's Stratum 1s.</summary>
    public string? Cluster { get; set; }

    /// <summary>
    /// It is published on this machine by <c>breakwater publish</c>, straight into this store: no Stratum 1 is asked for it, and no cluster
    /// named. Default false.
    /// </summary>
    public bool Published { get; set; }

    /// <summary>
    /// The lowest revision to which this repository may go back, once on each machine that has these settings. Null, the default: a
    /// verified revision never goes back.
    /// </summary>
    public long? AllowRevision { get; set; }

    /// <summary>
    /// Bytes of the store that its objects may take when room is short: what is beyond them goes first. Null, the default: as the store
    /// sees fit.
    /// </summary>
    public long? QuotaBytes { get; set; }

    /// <summary>
    /// Whose objects the store counts: a pattern's those of the repositories that it names. Of two that would carry the same mark on disk
    /// one is left out.
    /// </summary>
    public static IReadOnlyList<StoreShare> SharesOf(IReadOnlyDictionary<string, RepositoryOptions> repositories) =>
        [.. repositories.Select(one => new StoreShare(one.Key, one.Value.QuotaBytes))
            .OrderBy(share => share.QuotaBytes is null).ThenBy(share => share.Name, StringComparer.Ordinal)
            .DistinctBy(share => share.Mark)];

    /// <summary>Stands for the cluster of what is published here; no section can have this name.</summary>
    public const string PublishedCluster = "(published)";
}

using Breakwater.CacheStore.Quotas;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Holdings;
using Breakwater.Proxy.Observability;

namespace Breakwater.Proxy.Admin;

/// <summary>What <c>breakwater status</c> and the page show; counts since the start, sizes in bytes. Shares of nothing are null.</summary>
internal sealed record ServerStatus(
    string Version,
    DateTimeOffset Time,
    double UptimeSeconds,
    HealthReport Health,
    double? HitRatio,
    double? ByteHitRatio,
    long Requests,
    long BytesSent,
    long BytesSaved,
    long UpstreamBytes,
    IReadOnlyList<ResultStatus> Results,
    long MemoryBytes,
    long DiskBytes,
    int Fetches,
    int FetchFollowers,
    int FetchesWaiting,
    StormView Storm,
    IReadOnlyList<UpstreamStatus> Upstreams,
    string StorePath,
    long StoreDiskFreeBytes,
    long WorkingSetBytes,
    IReadOnlyList<string> Bootable,
    IReadOnlyList<string> Unverified,
    IReadOnlyList<string> Reads,
    IReadOnlyList<string> Actions)
{
    /// <summary>What the settings declare, and how far it is.</summary>
    public IReadOnlyList<Declared> Declared { get; init; } = [];

    /// <summary>How the site's nodes stand; null: this one is alone.</summary>
    public string? Nodes { get; init; }

    /// <summary>Bytes a second that may come from upstream at this time of day; null: no limit.</summary>
    public long? UpstreamLimit { get; init; }

    /// <summary>What each pattern of <c>Repositories</c> has brought into the store, and may take there.</summary>
    public IReadOnlyList<ShareUse> Shares { get; init; } = [];

    /// <summary>Another number than before when storms or boots have changed: who knows them need not ask again.</summary>
    public long BootsVersion { get; init; }
}

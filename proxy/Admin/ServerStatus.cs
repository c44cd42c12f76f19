using Breakwater.CacheStore.Quotas;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Holdings;
using Breakwater.Proxy.Observability;

namespace Breakwater.Proxy.Admin;

/// <summary>What <c>breakwater status</c> and the page show; counts since the start, sizes in bytes. Shares of nothing are null.</summary>
internal sealed record ServerStatus
{
    /// <summary>The version of the program.</summary>
    public required string Version { get; init; }

    /// <summary>This machine's clock.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Since the start.</summary>
    public required double UptimeSeconds { get; init; }

    /// <summary>Whether it can serve, and why not.</summary>
    public required HealthReport Health { get; init; }

    /// <summary>Share of requests that were hits.</summary>
    public double? HitRatio { get; init; }

    /// <summary>Share of bytes that were hits'.</summary>
    public double? ByteHitRatio { get; init; }

    /// <summary>Requests answered.</summary>
    public long Requests { get; init; }

    /// <summary>Body bytes sent to clients.</summary>
    public long BytesSent { get; init; }

    /// <summary>Of those, the ones that nobody upstream had to send.</summary>
    public long BytesSaved { get; init; }

    /// <summary>Body bytes that came from upstream.</summary>
    public long UpstreamBytes { get; init; }

    /// <summary>Requests and bytes by how they ended.</summary>
    public IReadOnlyList<ResultStatus> Results { get; init; } = [];

    /// <summary>Bytes of hits that came from memory.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Bytes of hits that came from the disk.</summary>
    public long DiskBytes { get; init; }

    /// <summary>Objects being fetched.</summary>
    public int Fetches { get; init; }

    /// <summary>Requests that wait for those.</summary>
    public int FetchFollowers { get; init; }

    /// <summary>Fetches in line for a place.</summary>
    public int FetchesWaiting { get; init; }

    /// <summary>The storm in progress, or the last one.</summary>
    public required StormView Storm { get; init; }

    /// <summary>Stratum 1s, and what is known of them.</summary>
    public IReadOnlyList<UpstreamStatus> Upstreams { get; init; } = [];

    /// <summary>Where the store is.</summary>
    public required string StorePath { get; init; }

    /// <summary>Room on its disk; -1: not known.</summary>
    public required long StoreDiskFreeBytes { get; init; }

    /// <summary>Memory of this process.</summary>
    public required long WorkingSetBytes { get; init; }

    /// <summary>What the seeds boot, a sentence each.</summary>
    public IReadOnlyList<string> Bootable { get; init; } = [];

    /// <summary>Repositories that are shown and that no key here proves.</summary>
    public IReadOnlyList<string> Unverified { get; init; } = [];

    /// <summary>What can be read on the admin port.</summary>
    public required IReadOnlyList<string> Reads { get; init; }

    /// <summary>What can be done there.</summary>
    public required IReadOnlyList<string> Actions { get; init; }

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

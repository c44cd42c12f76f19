using Breakwater.CacheStore;
using Breakwater.Proxy.Snapshots;

namespace Breakwater.Proxy.Seeding.Export;

/// <summary>What is to be exported.</summary>
internal sealed record SeedOrder
{
    /// <summary>The repositories.</summary>
    public required IReadOnlyList<string> Repositories { get; init; }

    /// <summary>Snapshots by tag; empty: those that the working set follows, else the trunk.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>The trunk as well as the tags.</summary>
    public bool Trunk { get; init; }

    /// <summary>A revision that must be the trunk's or a tag's; null: any.</summary>
    public ulong? Revision { get; init; }

    /// <summary>What of each snapshot, by repository; null: all.</summary>
    public Func<string, WorkingSet>? WorkingSet { get; init; }

    /// <summary>The list that <see cref="WorkingSet"/> was made of; null: none.</summary>
    public SeedPathList? Paths { get; init; }

    /// <summary>How the scope is called in the index.</summary>
    public required string Scope { get; init; }

    /// <summary>Only what renews the whitelist.</summary>
    public bool WhitelistOnly { get; init; }

    /// <summary>Objects that an earlier bundle has; empty: none.</summary>
    public IReadOnlySet<ObjectKey> Since { get; init; } = new HashSet<ObjectKey>();

    /// <summary>Name of the seed; null: made from repositories and tags.</summary>
    public string? Name { get; init; }

    /// <summary>Most bytes a second from Stratum 1s; 0: no limit but that of prefetches.</summary>
    public long BytesPerSecond { get; init; }
}

using Breakwater.CacheStore;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.WorkingSets;

namespace Breakwater.Proxy.Seeding.Export;

/// <summary>An export cannot be done as asked: the message says why and what to do.</summary>
internal sealed class SeedExportException(string message) : Exception(message);

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

/// <summary>One repository of an export.</summary>
/// <param name="Fqrn">Its name.</param>
/// <param name="Documents">Its signed documents and master key by the names of their entries.</param>
/// <param name="Manifest">The manifest in force.</param>
/// <param name="Whitelist">Its whitelist.</param>
/// <param name="IsVerified">By a master key of this site.</param>
/// <param name="Snapshots">What can be booted.</param>
/// <param name="Objects">All that belongs to it.</param>
internal sealed record SeedPlanRepository(
    string Fqrn,
    IReadOnlyDictionary<string, byte[]> Documents,
    Repositories.Manifest Manifest,
    Repositories.Whitelist Whitelist,
    bool IsVerified,
    IReadOnlyList<Format.SeedSnapshot> Snapshots,
    IReadOnlySet<ObjectKey> Objects);

/// <summary>What an export will carry, known before the bulk is fetched.</summary>
/// <param name="Repositories">By name.</param>
/// <param name="Missing">Objects that must be fetched, each with its repository.</param>
/// <param name="MissingBytesEstimate">Their content as the catalogs state it, before compression: an upper bound.</param>
internal sealed record SeedPlan(
    IReadOnlyList<SeedPlanRepository> Repositories, IReadOnlyList<(string Fqrn, ObjectKey Key)> Missing, long MissingBytesEstimate)
{
    /// <summary>What was asked for and is in no snapshot, a sentence each.</summary>
    public IReadOnlyList<string> Unmatched { get; init; } = [];

    /// <summary>What was asked for and is in some of the snapshots only, a sentence each.</summary>
    public IReadOnlyList<string> PartlyMatched { get; init; } = [];

    /// <summary>Distinct objects.</summary>
    public int Objects => Repositories.SelectMany(repository => repository.Objects).Distinct().Count();
}

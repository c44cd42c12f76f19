using Breakwater.CacheStore;

namespace Breakwater.Proxy.Seeding.Export;

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

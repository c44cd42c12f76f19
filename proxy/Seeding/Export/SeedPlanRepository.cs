using Breakwater.CacheStore;

namespace Breakwater.Proxy.Seeding.Export;

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

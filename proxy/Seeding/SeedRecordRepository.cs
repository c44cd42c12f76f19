using Breakwater.Proxy.Seeding.Format;

namespace Breakwater.Proxy.Seeding;

/// <summary>A repository of a seed in the store.</summary>
/// <param name="Fqrn">Its name.</param>
/// <param name="Revision">Revision of its manifest.</param>
/// <param name="IsVerified">By this site's own master key: at the import, or as <see cref="SeedRegistry.ListJudged"/> finds now.</param>
/// <param name="WhitelistExpires">As its whitelist says.</param>
/// <param name="Snapshots">What can be booted.</param>
/// <param name="Problem">Why clients are not shown it by the keys of this site; null: they are, or nobody has asked.</param>
internal sealed record SeedRecordRepository(
    string Fqrn, ulong Revision, bool IsVerified, DateTimeOffset WhitelistExpires, IReadOnlyList<SeedSnapshot> Snapshots,
    string? Problem = null);

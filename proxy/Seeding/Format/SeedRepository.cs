namespace Breakwater.Proxy.Seeding.Format;

/// <summary>A repository of a bundle.</summary>
/// <param name="Fqrn">Its name.</param>
/// <param name="Revision">Revision of the manifest that is carried.</param>
/// <param name="WhitelistExpires">Until when first boots can be served, UTC.</param>
/// <param name="Snapshots">What can be booted; empty in a bundle that only renews the whitelist.</param>
internal sealed record SeedRepository(string Fqrn, ulong Revision, DateTimeOffset WhitelistExpires, IReadOnlyList<SeedSnapshot> Snapshots);

namespace Breakwater.Proxy.Seeding.Format;

/// <summary>A snapshot that can be booted from a bundle.</summary>
/// <param name="Tag">The tag; empty for the trunk.</param>
/// <param name="Revision">Its revision.</param>
/// <param name="RootCatalog">Key of its root catalog.</param>
/// <param name="Scope">How much of it is carried, for people: <c>all</c>, <c>working set boot</c>, <c>paths</c>.</param>
/// <param name="IsWhole">All of it: every object that its catalogs name.</param>
internal sealed record SeedSnapshot(string Tag, ulong Revision, string RootCatalog, string Scope, bool IsWhole);

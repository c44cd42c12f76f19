namespace Breakwater.Proxy.Seeding;

/// <summary>A seed that is in the store.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IndexSha256">Identity of the bundle; empty for a directory tree without an index.</param>
/// <param name="ImportedAt">When it was complete.</param>
/// <param name="Objects">Objects that belong to it.</param>
/// <param name="ObjectBytes">Bytes of those that the bundle carried.</param>
/// <param name="Repositories">What it brings.</param>
/// <param name="File">The file in <c>Seeds:Files</c> that it was imported from; null: a command brought it.</param>
internal sealed record SeedRecord(
    string Name, string IndexSha256, DateTimeOffset ImportedAt, long Objects, long ObjectBytes,
    IReadOnlyList<SeedRecordRepository> Repositories, string? File = null);

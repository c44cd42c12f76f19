namespace Breakwater.Proxy.Seeding.Format;

/// <summary>A small file of a bundle.</summary>
/// <param name="Name">Name of its entry.</param>
/// <param name="SizeBytes">Its length.</param>
/// <param name="Sha256">Its SHA-256, lower-case hex.</param>
internal sealed record SeedDocument(string Name, long SizeBytes, string Sha256);

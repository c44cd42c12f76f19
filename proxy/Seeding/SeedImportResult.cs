namespace Breakwater.Proxy.Seeding;

/// <summary>What an import did.</summary>
/// <param name="Record">The seed as it is in the store.</param>
/// <param name="NewObjects">Objects that the store did not hold before.</param>
/// <param name="Warnings">What an operator should know, a sentence each.</param>
internal sealed record SeedImportResult(SeedRecord Record, int NewObjects, IReadOnlyList<string> Warnings);

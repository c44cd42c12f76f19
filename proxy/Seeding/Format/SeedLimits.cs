namespace Breakwater.Proxy.Seeding.Format;

/// <summary>Limits on what is read.</summary>
/// <param name="MaxObjectBytes">Longest object.</param>
internal sealed record SeedLimits(long MaxObjectBytes);

namespace Breakwater.Proxy.Seeding.Import;

/// <summary>How far an import, export or check is.</summary>
/// <param name="Objects">Objects done.</param>
/// <param name="TotalObjects">Of how many; 0 when not known.</param>
/// <param name="Bytes">Bytes of objects done.</param>
/// <param name="TotalBytes">Of how many; 0 when not known.</param>
internal readonly record struct SeedProgress(long Objects, long TotalObjects, long Bytes, long TotalBytes);

using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Seeding.Import;

/// <summary>Opens catalogs and histories.</summary>
internal static class SeedMetadataReading
{
    /// <summary>A history; or why there is none.</summary>
    public static async Task<Parsed<History>> ReadHistoryAsync(this ISeedMetadata metadata, ObjectKey key,
        CancellationToken cancellationToken)
    {
        await using Stream? wire = metadata.Open(key);
        return wire is null
            ? new Malformed($"the history {key} is missing")
            : await History.ReadAsync(wire, CatalogLimits.Default, cancellationToken);
    }

    /// <summary>A snapshot's catalogs.</summary>
    public static CatalogTree TreeOf(this ISeedMetadata metadata, ObjectKey rootCatalog) =>
        new(rootCatalog, async (key, cancellationToken) =>
    {
        await using Stream? wire = metadata.Open(key);
        return wire is null
            ? new Malformed("the catalog is missing")
            : await Catalog.OpenAsync(wire, CatalogLimits.Default, cancellationToken);
    });
}

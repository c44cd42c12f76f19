using Breakwater.CacheStore;

namespace Breakwater.Repositories;

/// <summary>Opens the catalog with that key, wherever its bytes come from. The caller of it disposes the catalog.</summary>
public delegate Task<Parsed<Catalog>> CatalogOpener(ObjectKey catalog, CancellationToken cancellationToken);

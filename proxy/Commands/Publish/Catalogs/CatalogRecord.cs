using Breakwater.CacheStore;
using Breakwater.Repositories.Writing;

namespace Breakwater.Proxy.Commands.Publish.Catalogs;

/// <summary>A catalog that is in the repository.</summary>
/// <param name="Catalog">Its object.</param>
/// <param name="InflatedBytes">Length of its SQLite file.</param>
/// <param name="Fingerprint">SHA-256 over all its rows: with the same rows it is used again.</param>
/// <param name="IsAutomatic">It was made for the number of its entries, not for a <c>.cvmfscatalog</c>.</param>
/// <param name="Self">What its rows count.</param>
/// <param name="Subtree">What the catalogs below it count.</param>
internal sealed record CatalogRecord(
    ObjectKey Catalog, long InflatedBytes, byte[] Fingerprint, bool IsAutomatic, CatalogCounters Self, CatalogCounters Subtree);

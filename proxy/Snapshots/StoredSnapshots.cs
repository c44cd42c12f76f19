using System.Runtime.CompilerServices;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Snapshots;

/// <summary>
/// What the store holds of a repository: its newest revision and every tagged one, as far as their catalogs are in the store. Never fetches
/// anything.
/// </summary>
internal sealed class StoredSnapshots(IObjectStore store, SignedDocuments documents, RepositoryRoutes routes, CatalogLimits limits)
{
    /// <summary>The objects of a repository that the store holds, each once: manifest's objects, catalogs, files and chunks.</summary>
    /// <param name="fqrn">The repository.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <remarks>Memory: 24 bytes and a hash entry for each object that the catalogs name.</remarks>
    public async IAsyncEnumerable<ObjectKey> ObjectsAsync(Fqrn fqrn,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (!routes.TryFind(fqrn, out RepositoryRoute? route) || documents.Find(route)?.Parsed is not { } manifest)
        {
            yield break;
        }

        HashSet<ObjectKey> seen = [];
        Stack<ObjectKey> catalogs = new([manifest.RootCatalog]);
        foreach (ObjectKey root in await TaggedAsync(manifest, cancellationToken))
        {
            catalogs.Push(root);
        }

        foreach (ObjectKey key in new[] { manifest.Certificate, manifest.History, manifest.Metainfo }.OfType<ObjectKey>())
        {
            if (seen.Add(key) && store.Contains(key))
            {
                yield return key;
            }
        }

        while (catalogs.TryPop(out ObjectKey key))
        {
            if (!seen.Add(key) || !store.TryOpen(key, out ObjectLease? lease))
            {
                continue;
            }

            yield return key;
            List<ObjectKey> named = await NamedByAsync(lease, catalogs, cancellationToken);
            foreach (ObjectKey found in named.Where(found => seen.Add(found) && store.Contains(found)))
            {
                yield return found;
            }
        }
    }

    private async Task<IEnumerable<ObjectKey>> TaggedAsync(Manifest manifest, CancellationToken cancellationToken)
    {
        if (manifest.History is not ObjectKey key || !store.TryOpen(key, out ObjectLease? lease))
        {
            return [];
        }

        await using LeaseStream wire = new(lease);
        return (await History.ReadAsync(wire, limits, cancellationToken)).TryGet(out History? history, out _)
            ? history.Tags.Select(tag => tag.RootCatalog)
            : [];
    }

    /// <summary>The objects of a catalog's files; its nested catalogs go onto the stack. What of it is malformed is left out.</summary>
    private async Task<List<ObjectKey>> NamedByAsync(ObjectLease lease, Stack<ObjectKey> below, CancellationToken cancellationToken)
    {
        List<ObjectKey> named = [];
        await using LeaseStream wire = new(lease);
        if (!(await Catalog.OpenAsync(wire, limits, cancellationToken)).TryGet(out Catalog? catalog, out _))
        {
            return named;
        }

        using (catalog)
        {
            foreach (NestedCatalog nested in catalog.Nested)
            {
                below.Push(nested.Catalog);
            }

            CatalogObjects.Scan(catalog, key =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                named.Add(key);
            });
        }

        return named;
    }
}

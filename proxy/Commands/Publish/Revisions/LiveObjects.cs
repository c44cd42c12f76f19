using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Publish.Revisions;

/// <summary>Finds every object that a repository's manifest and tags need.</summary>
internal static class LiveObjects
{
    /// <summary>Walks the catalogs of the trunk and of all tags, each once, its hash verified.</summary>
    /// <exception cref="PublishException">A catalog is missing or damaged.</exception>
    public static async Task<HashSet<ObjectKey>> FindAsync(
        RepositoryFolder folder, CurrentRepository current, CancellationToken cancellationToken)
    {
        HashSet<ObjectKey> live = [];
        foreach (ObjectKey? key in (ObjectKey?[])[current.Manifest.Certificate, current.Manifest.History, current.Manifest.Metainfo])
        {
            if (key is { } named)
            {
                live.Add(named);
            }
        }

        var open = new Stack<ObjectKey>(current.Tags.Select(tag => tag.RootCatalog).Append(current.Manifest.RootCatalog));
        while (open.TryPop(out ObjectKey key))
        {
            if (live.Add(key))
            {
                await using FileStream wire = folder.OpenObject(key);
                Parsed<Catalog> opened = await Catalog.OpenAsync(wire, CatalogLimits.Default, cancellationToken);
                if (!opened.TryGet(out Catalog? catalog, out string? problem))
                {
                    throw new PublishException($"{key} in {folder.Root}: {problem}");
                }

                using (catalog)
                {
                    if (CatalogObjects.Scan(catalog, named => live.Add(named)) is { } damage)
                    {
                        throw new PublishException($"{key} in {folder.Root}: {damage}");
                    }

                    foreach (NestedCatalog nested in catalog.Nested)
                    {
                        open.Push(nested.Catalog);
                    }
                }
            }
        }

        return live;
    }
}

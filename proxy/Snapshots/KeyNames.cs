using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Snapshots;

/// <summary>From keys back to paths: which files of a snapshot are made of these objects?</summary>
internal static class KeyNames
{
    /// <summary>Places that are told of one object; of bytes that are in more, such as an empty file, the rest says no more.</summary>
    private const int MaxPlaces = 64;

    /// <summary>Searches the catalogs of a snapshot.</summary>
    /// <param name="tree">The snapshot.</param>
    /// <param name="keys">The keys; catalogs among them are named by their directory.</param>
    /// <param name="enter">Should this nested catalog be opened? Refuse those that are not at hand.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>The names found, several where the same bytes are at several paths; or a problem with a catalog.</returns>
    public static async Task<Parsed<Dictionary<ObjectKey, List<KeyName>>>> FindAsync(
        CatalogTree tree,
        IReadOnlySet<ObjectKey> keys,
        Predicate<ObjectKey> enter,
        CancellationToken cancellationToken = default)
    {
        Dictionary<ObjectKey, List<KeyName>> names = [];
        DigestAlgorithm[] algorithms = [.. keys.Where(key => key.Kind == ObjectKind.Chunk).Select(key => key.Algorithm).Distinct()];
        string? problem = await tree.DescendAsync(
            (catalog, key) =>
            {
                if (keys.Contains(key))
                {
                    Add(names, key, new KeyName(catalog.Prefix, null));
                }

                return (SearchFiles(catalog, keys, names) ?? SearchChunks(catalog, keys, algorithms, names),
                    [.. catalog.Nested.Where(child => enter(child.Catalog))]);
            },
            cancellationToken);
        return problem is null ? names : new Malformed(problem);
    }

    private static string? SearchFiles(Catalog catalog, IReadOnlySet<ObjectKey> keys, Dictionary<ObjectKey, List<KeyName>> names)
    {
        CatalogCursor cursor = catalog.Scan();
        string? problem;
        while ((problem = cursor.MoveNext()) is null && cursor.Current is { } entry)
        {
            if (entry.Object is ObjectKey key && entry.HasObjects && keys.Contains(key))
            {
                problem = cursor.ReadPath(out string? path);
                if (problem is not null)
                {
                    break;
                }

                if (path is not null)
                {
                    Add(names, key, new KeyName(path, null));
                }
            }
        }

        return problem;
    }

    private static string? SearchChunks(
        Catalog catalog,
        IReadOnlySet<ObjectKey> keys,
        DigestAlgorithm[] algorithms,
        Dictionary<ObjectKey, List<KeyName>> names)
    {
        if (algorithms.Length == 0)
        {
            return null;
        }

        List<(ObjectKey Key, PathKey File, Stretch Range)> found = [];
        Dictionary<ObjectKey, int> told = [];
        string? problem = catalog.ScanChunks((file, offset, size, digest) =>
        {
            foreach (DigestAlgorithm algorithm in algorithms)
            {
                var key = new ObjectKey(digest, algorithm, ObjectKind.Chunk);
                if (keys.Contains(key) && (told[key] = told.GetValueOrDefault(key) + 1) <= MaxPlaces)
                {
                    found.Add((key, file, new Stretch(offset, size)));
                }
            }
        });
        foreach ((ObjectKey key, PathKey file, Stretch range) in problem is null ? found : [])
        {
            problem = catalog.PathOf(file, out string? path);
            if (problem is not null)
            {
                break;
            }

            if (path is not null)
            {
                Add(names, key, new KeyName(path, range));
            }
        }

        return problem;
    }

    private static void Add(Dictionary<ObjectKey, List<KeyName>> names, ObjectKey key, KeyName name)
    {
        if (!names.TryGetValue(key, out List<KeyName>? known))
        {
            names[key] = known = [];
        }

        if (known.Count < MaxPlaces)
        {
            known.Add(name);
        }
    }
}

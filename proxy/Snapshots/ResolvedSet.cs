using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Snapshots;

/// <summary>A working set in terms of one snapshot's objects: what a VM that boots this snapshot asks for.</summary>
/// <param name="RootCatalog">The snapshot.</param>
/// <param name="Objects">Each object once: certificate, history, catalogs, then files in the set's order.</param>
internal sealed record ResolvedSet(ObjectKey RootCatalog, IReadOnlyList<ResolvedObject> Objects)
{
    /// <summary>The entries with a path for which the snapshot has no file.</summary>
    public IReadOnlyList<UnmatchedEntry> Unmatched { get; init; } = [];

    private readonly Lazy<Dictionary<ObjectKey, string>> _names =
        new(() => Objects.Where(item => item.Path is not null).ToDictionary(item => item.Key, item => item.Path!));

    /// <summary>The file or directory that needs an object; null when it is not in the set.</summary>
    public string? NameOf(ObjectKey key) => _names.Value.GetValueOrDefault(key);

    /// <summary>Resolves a set.</summary>
    /// <param name="set">The working set.</param>
    /// <param name="tree">The snapshot.</param>
    /// <param name="manifest">The manifest in force, whose certificate and history every mount reads; null: leave them out.</param>
    /// <param name="cancellationToken">Ends the walk.</param>
    public static async Task<Parsed<ResolvedSet>> ResolveAsync(
        WorkingSet set,
        CatalogTree tree,
        Manifest? manifest,
        CancellationToken cancellationToken = default)
    {
        List<WantedPath> wanted = [];
        for (int i = 0; i < set.Entries.Count; i++)
        {
            WorkingSetEntry entry = set.Entries[i];
            if (entry.Path is { } path && ToPattern(entry, path) is { } pattern)
            {
                wanted.Add(new WantedPath(i, pattern, entry.IsCatalogOnly, entry.Ranges));
            }
        }

        // What a whole directory adds comes right after the files that are known; what is known keeps its place.
        wanted.AddRange(set.WholeDirectories.Distinct(StringComparer.Ordinal)
            .Select(directory => new WantedPath(set.Entries.Count, PathPattern.Children(directory))));

        Parsed<Resolution> resolved = await SnapshotResolver.ResolveAsync(tree, wanted, cancellationToken);
        if (!resolved.TryGet(out Resolution? resolution, out string? problem))
        {
            return new Malformed(problem);
        }

        return new ResolvedSet(tree.RootCatalog, [.. Order(set, resolution, manifest).DistinctBy(item => item.Key)])
        {
            Unmatched = [.. wanted.Where(path => path.Order < set.Entries.Count && !path.IsCatalogOnly)
                .Where(path => !resolution.Found.Contains(path.Order) || resolution.Directories.Contains(path.Order))
                .Select(path => new UnmatchedEntry(set.Entries[path.Order], resolution.Directories.Contains(path.Order)))],
        };
    }

    private static PathPattern? ToPattern(WorkingSetEntry entry, string path) =>
        entry.IsLiteral ? PathPattern.Literal(path) : PathPattern.TryParse(path, out PathPattern pattern) ? pattern : null;

    private static IEnumerable<ResolvedObject> Order(WorkingSet set, Resolution resolution, Manifest? manifest)
    {
        if (manifest?.Certificate is ObjectKey certificate)
        {
            yield return new ResolvedObject(certificate, null);
        }

        if (manifest?.History is ObjectKey history && set.Snapshots.Any(tag => tag != WorkingSet.Trunk))
        {
            yield return new ResolvedObject(history, null);
        }

        foreach (NestedCatalog catalog in resolution.Catalogs)
        {
            yield return new ResolvedObject(catalog.Catalog, catalog.Path);
        }

        ILookup<int, ResolvedFile> files = resolution.Files.Where(file => !set.Excluded.Any(pattern => pattern.MatchesOrHolds(file.Path)))
            .Where(file => !WholeDirectoryRule.IsMarker(file.Path) || file.Order < set.Entries.Count)
            .ToLookup(file => file.Order);
        for (int i = 0; i <= set.Entries.Count; i++)
        {
            if (i < set.Entries.Count && set.Entries[i].Key is ObjectKey bare)
            {
                yield return new ResolvedObject(bare, null);
            }

            foreach (ResolvedFile file in files[i])
            {
                foreach (ObjectKey key in file.Objects)
                {
                    yield return new ResolvedObject(key, file.Path);
                }
            }
        }
    }
}

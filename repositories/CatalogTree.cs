using Breakwater.CacheStore;

namespace Breakwater.Repositories;

/// <summary>
/// One snapshot of a repository: its root catalog and all that hang below it. Catalogs are opened one path at a time and closed again:
/// memory is that of the catalogs between the root and the place at work.
/// </summary>
public sealed class CatalogTree
{
    private const int MaxDepth = 64;
    private readonly CatalogOpener _open;

    /// <summary>The snapshot below a root catalog.</summary>
    public CatalogTree(ObjectKey rootCatalog, CatalogOpener open)
    {
        RootCatalog = rootCatalog;
        _open = open;
    }

    /// <summary>Key of the root catalog.</summary>
    public ObjectKey RootCatalog { get; }

    /// <summary>Visits every catalog, parents before children, each open only during its visit and that of its children.</summary>
    /// <param name="visit">Gets the catalog and its key; a sentence ends the walk.</param>
    /// <param name="cancellationToken">Ends the walk.</param>
    /// <returns>Null: all were visited. Else why not.</returns>
    public Task<string?> WalkAsync(Func<Catalog, ObjectKey, string?> visit, CancellationToken cancellationToken = default) =>
        DescendAsync((catalog, key) => (visit(catalog, key), catalog.Nested), cancellationToken);

    /// <summary>
    /// Visits the root catalog and those nested catalogs that the visits ask for, each open only during its visit and that of its children.
    /// </summary>
    /// <param name="visit">Gets the catalog and its key; a sentence ends the walk, else it goes on into the nested catalogs given.</param>
    /// <param name="cancellationToken">Ends the walk.</param>
    /// <returns>Null: done. Else why not.</returns>
    public Task<string?> DescendAsync(
        Func<Catalog, ObjectKey, (string? Problem, IReadOnlyList<NestedCatalog> Below)> visit,
        CancellationToken cancellationToken = default) =>
        DescendAsync(new NestedCatalog("", RootCatalog, 0), 0, [], visit, cancellationToken);

    private async Task<string?> DescendAsync(
        NestedCatalog at,
        int depth,
        HashSet<ObjectKey> visited,
        Func<Catalog, ObjectKey, (string? Problem, IReadOnlyList<NestedCatalog> Below)> visit,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (depth == MaxDepth)
        {
            return $"Catalog: '{at.Path}' is nested more than {MaxDepth} deep.";
        }

        // Catalogs that each name all those below them too would be walked 2^depth times.
        if (!visited.Add(at.Catalog))
        {
            return $"Catalog: {at.Catalog} at '{at.Path}' hangs below two catalogs.";
        }

        Parsed<Catalog> opened = await _open(at.Catalog, cancellationToken);
        if (!opened.TryGet(out Catalog? catalog, out string? problem))
        {
            return $"{at.Catalog} at '{at.Path}': {problem}";
        }

        using (catalog)
        {
            if (catalog.Prefix != at.Path)
            {
                return $"Catalog: {at.Catalog} begins at '{catalog.Prefix}', not at '{at.Path}'.";
            }

            (problem, IReadOnlyList<NestedCatalog> below) = visit(catalog, at.Catalog);
            foreach (NestedCatalog child in problem is null ? below : [])
            {
                problem = await DescendAsync(child, depth + 1, visited, visit, cancellationToken);
                if (problem is not null)
                {
                    break;
                }
            }

            return problem;
        }
    }
}

using Breakwater.CacheStore;

namespace Breakwater.Proxy.Repositories;

/// <summary>Opens the catalog with that key, wherever its bytes come from. The caller of it disposes the catalog.</summary>
internal delegate Task<Parsed<Catalog>> CatalogOpener(ObjectKey catalog, CancellationToken cancellationToken);

/// <summary>
/// One snapshot of a repository: its root catalog and all that hang below it. Catalogs are opened one path at a time and closed again:
/// memory is that of the catalogs between the root and the place at work.
/// </summary>
internal sealed class CatalogTree
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
        DescendAsync(new NestedCatalog("", RootCatalog, 0), 0, (catalog, key) => (visit(catalog, key), catalog.Nested), cancellationToken);

    /// <summary>
    /// Visits the catalogs in which the paths lie, as a client would load them: the root, then each catalog on the way to a path.
    /// </summary>
    /// <param name="paths">Absolute paths; the root is the empty string.</param>
    /// <param name="visit">Gets each catalog, its key, and those of the paths whose entries are in it. A directory at which a nested catalog
    /// begins is handed to the nested one.</param>
    /// <param name="cancellationToken">Ends the walk.</param>
    /// <returns>Null: all were visited. Else why not.</returns>
    public Task<string?> ResolveAsync(
        IReadOnlyCollection<string> paths,
        Func<Catalog, ObjectKey, IReadOnlyList<string>, string?> visit,
        CancellationToken cancellationToken = default)
    {
        Dictionary<string, List<string>> waiting = new(StringComparer.Ordinal) { [""] = [.. paths] };
        return DescendAsync(
            new NestedCatalog("", RootCatalog, 0),
            0,
            (catalog, key) =>
            {
                waiting.Remove(catalog.Prefix, out List<string>? inside);
                (List<string> here, List<NestedCatalog> below) = Split(catalog, inside ?? [], waiting);
                return (visit(catalog, key, here), below);
            },
            cancellationToken);
    }

    /// <summary>Hands each path to the nested catalog that has it, or keeps it here.</summary>
    private static (List<string> Here, List<NestedCatalog> Below) Split(
        Catalog catalog,
        List<string> paths,
        Dictionary<string, List<string>> waiting)
    {
        Dictionary<string, NestedCatalog> nested = catalog.Nested.ToDictionary(child => child.Path, StringComparer.Ordinal);
        List<string> here = [];
        List<NestedCatalog> below = [];
        foreach (string path in paths)
        {
            NestedCatalog? owner = null;
            for (int end = path.Length; end > catalog.Prefix.Length && owner is null; end = path.LastIndexOf('/', end - 1))
            {
                nested.TryGetValue(path[..end], out owner);
            }

            if (owner is null)
            {
                here.Add(path);
            }
            else if (waiting.TryGetValue(owner.Path, out List<string>? others))
            {
                others.Add(path);
            }
            else
            {
                waiting[owner.Path] = [path];
                below.Add(owner);
            }
        }

        return (here, below);
    }

    private async Task<string?> DescendAsync(
        NestedCatalog at,
        int depth,
        Func<Catalog, ObjectKey, (string? Problem, IReadOnlyList<NestedCatalog> Below)> visit,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (depth == MaxDepth)
        {
            return $"Catalog: '{at.Path}' is nested more than {MaxDepth} deep.";
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
                problem = await DescendAsync(child, depth + 1, visit, cancellationToken);
                if (problem is not null)
                {
                    break;
                }
            }

            return problem;
        }
    }
}

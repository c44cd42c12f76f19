using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Snapshots;

/// <summary>
/// Resolves paths and globs in one snapshot, opening only the catalogs on the way, each once a pass; follows symbolic links.
/// </summary>
internal sealed class SnapshotResolver
{
    private const int MaxPasses = 8;
    private const int MaxFiles = 5_000_000;

    /// <summary>
    /// Paths on their way and files found, of all passes: what a catalog's author makes this hold. A million of usual length.
    /// </summary>
    internal const long MaxBytes = 512L << 20;

    private const int ObjectBytes = 48;
    private const int ItemBytes = 100 + HeapCost.Entry;

    private readonly CatalogTree _tree;
    private readonly Dictionary<ObjectKey, NestedCatalog> _catalogs = [];
    private readonly List<NestedCatalog> _catalogsInOrder = [];
    private readonly Dictionary<string, ResolvedFile> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Item>> _waiting = new(StringComparer.Ordinal);
    private readonly HashSet<int> _found = [];
    private readonly HashSet<int> _directories = [];
    private List<WantedPath> _again = [];
    private long _bytes;

    private SnapshotResolver(CatalogTree tree) => _tree = tree;

    /// <summary>Resolves.</summary>
    /// <returns>The resolution; or a problem with a catalog.</returns>
    public static async Task<Parsed<Resolution>> ResolveAsync(
        CatalogTree tree,
        IEnumerable<WantedPath> wanted,
        CancellationToken cancellationToken = default)
    {
        var resolver = new SnapshotResolver(tree);
        resolver._again = [.. wanted];
        for (int pass = 0; pass < MaxPasses && (pass == 0 || resolver._again.Count > 0); pass++)
        {
            string? problem = await resolver.PassAsync(cancellationToken);
            if (problem is not null)
            {
                return new Malformed(problem);
            }
        }

        return new Resolution(resolver._catalogsInOrder,
            [.. resolver._files.Values.OrderBy(file => file.Order).ThenBy(file => file.Path, StringComparer.Ordinal)], resolver._found,
            resolver._directories);
    }

    private Task<string?> PassAsync(CancellationToken cancellationToken)
    {
        _waiting[""] = [.. _again.Select(wanted => new Item(wanted, wanted.Pattern.LiteralPrefix, wanted.Pattern.LiteralSegments))];
        _again = [];
        return _tree.DescendAsync(
            (catalog, key) =>
            {
                if (_catalogs.TryAdd(key, new NestedCatalog(catalog.Prefix, key, 0)))
                {
                    _catalogsInOrder.Add(_catalogs[key]);
                }

                _waiting.Remove(catalog.Prefix, out List<Item>? items);
                return VisitCatalog(catalog, items ?? []);
            },
            cancellationToken);
    }

    private (string? Problem, IReadOnlyList<NestedCatalog> Below) VisitCatalog(Catalog catalog, List<Item> items)
    {
        Dictionary<string, NestedCatalog> nested = catalog.Nested.ToDictionary(child => child.Path, StringComparer.Ordinal);
        List<NestedCatalog> below = [];
        var queue = new Queue<Item>(items);
        string? problem = null;
        while (problem is null && queue.TryDequeue(out Item item))
        {
            if (Owner(nested, catalog.Prefix, item.Path) is { } owner)
            {
                if (!_waiting.TryGetValue(owner.Path, out List<Item>? waiting))
                {
                    _waiting[owner.Path] = waiting = [];
                    below.Add(owner);
                }

                waiting.Add(item);
            }
            else
            {
                problem = item.Next == item.Wanted.Pattern.Segments.Count ? Arrive(catalog, item) : Expand(catalog, item, queue);
            }
        }

        return (problem, below);
    }

    private static NestedCatalog? Owner(Dictionary<string, NestedCatalog> nested, string prefix, string path)
    {
        if (nested.Count == 0)
        {
            return null;
        }

        for (int end = path.Length; end > prefix.Length; end = path.LastIndexOf('/', end - 1))
        {
            if (nested.TryGetValue(path[..end], out NestedCatalog? owner))
            {
                return owner;
            }
        }

        return null;
    }

    /// <summary>One name further along the pattern.</summary>
    private string? Expand(Catalog catalog, Item item, Queue<Item> queue)
    {
        PathPattern pattern = item.Wanted.Pattern;
        if (pattern.Segments[item.Next] != "**")
        {
            bool isLast = item.Next == pattern.Segments.Count - 1;
            return ListInto(catalog, item, entry =>
            {
                if (!pattern.MatchesName(item.Next, entry.Path.AsSpan(item.Path.Length + 1)))
                {
                    return null;
                }

                if (isLast)
                {
                    return Take(catalog, entry, item.Wanted);
                }

                queue.Enqueue(item with { Path = entry.Path, Next = item.Next + 1 });
                return Charge(entry.Path);
            });
        }

        bool isOpenEnd = item.Next == pattern.Segments.Count - 1;
        if (!isOpenEnd)
        {
            queue.Enqueue(item with { Next = item.Next + 1 });
        }

        return ListInto(catalog, item, entry =>
        {
            if (entry.IsDirectory)
            {
                queue.Enqueue(item with { Path = entry.Path });
                return Charge(entry.Path);
            }

            return isOpenEnd ? Take(catalog, entry, item.Wanted) : null;
        });
    }

    private static string? ListInto(Catalog catalog, Item item, Func<CatalogEntry, string?> visit)
    {
        string? inner = null;
        return catalog.List(item.Path, entry => inner ??= visit(entry)) ?? inner;
    }

    /// <summary>A path without wildcards: look it up; when it is not there, one of its directories may be a link.</summary>
    private string? Arrive(Catalog catalog, Item item)
    {
        string? problem = catalog.Find(item.Path, out CatalogEntry? entry);
        if (problem is not null || entry is not null)
        {
            return problem ?? Take(catalog, entry!, item.Wanted);
        }

        for (int end = item.Path.LastIndexOf('/'); end > catalog.Prefix.Length; end = item.Path.LastIndexOf('/', end - 1))
        {
            problem = catalog.Find(item.Path[..end], out entry);
            if (problem is not null || entry is not null)
            {
                break;
            }
        }

        if (problem is null && entry is { IsLink: true } && Target(entry) is { } target)
        {
            _again.Add(item.Wanted with { Pattern = PathPattern.Literal(target + item.Path[entry.Path.Length..]) });
            problem = Charge(target);
        }

        return problem;
    }

    private string? Take(Catalog catalog, CatalogEntry entry, WantedPath wanted)
    {
        _ = entry.IsDirectory && !wanted.IsCatalogOnly ? _directories.Add(wanted.Order) : _found.Add(wanted.Order);
        if (entry.IsLink)
        {
            if (Target(entry) is { } target)
            {
                _again.Add(wanted with { Pattern = PathPattern.Literal(target) });
                return Charge(target);
            }

            return null;
        }

        if (wanted.IsCatalogOnly || !entry.HasObjects)
        {
            return null;
        }

        List<ObjectKey> objects = [];
        string? problem = wanted.Ranges is { } ranges && entry.IsChunked
            ? ReadRanges(catalog, entry, ranges, objects)
            : catalog.ReadObjects(entry, objects);
        _files[entry.Path] = _files.TryGetValue(entry.Path, out ResolvedFile? known)
            ? known with { Order = Math.Min(known.Order, wanted.Order), Objects = [.. known.Objects.Union(objects)] }
            : new ResolvedFile(wanted.Order, entry.Path, objects, entry.IsStoredPlain);
        return problem ?? Charge(entry.Path, objects.Count)
            ?? (_files.Count > MaxFiles ? $"The set has more than {MaxFiles} files." : null);
    }

    private string? Charge(string path, int objects = 0)
    {
        _bytes += ItemBytes + HeapCost.Of(path) + (objects * ObjectBytes);
        return _bytes > MaxBytes ? $"Resolving it takes more than {MaxBytes >> 20} MiB." : null;
    }

    /// <summary>
    /// The chunks that a range touches. Both are in order, so that a publisher's million chunks and its million ranges are looked at once;
    /// what is looked at counts, also where nothing is touched.
    /// </summary>
    private string? ReadRanges(Catalog catalog, CatalogEntry entry, IReadOnlyList<Stretch> ranges, List<ObjectKey> objects)
    {
        List<CatalogChunk> chunks = [];
        string? problem = catalog.ReadChunks(entry, chunks) ?? Charge(entry.Path, chunks.Count + ranges.Count);
        Stretch[] inOrder = [.. ranges.OrderBy(range => range.Offset)];
        int begun = 0;
        long end = 0; // of those that begin before the chunk ends, the furthest
        foreach (CatalogChunk chunk in problem is null ? chunks : [])
        {
            for (; begun < inOrder.Length && inOrder[begun].Offset < chunk.Offset + chunk.SizeBytes; begun++)
            {
                end = Math.Max(end, inOrder[begun].Offset + inOrder[begun].Length);
            }

            if (end > chunk.Offset)
            {
                objects.Add(chunk.Object);
            }
        }

        return problem;
    }

    /// <summary>Where a link leads within the repository; null: elsewhere, or by a variable of the client.</summary>
    private static string? Target(CatalogEntry link)
    {
        if (link.LinkTarget.Length == 0 || link.LinkTarget[0] == '/' || link.LinkTarget.Contains('$', StringComparison.Ordinal))
        {
            return null;
        }

        List<string> names = [.. link.Path[1..].Split('/')[..^1]];
        foreach (string name in link.LinkTarget.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (name == ".." && names.Count == 0)
            {
                return null;
            }

            if (name == "..")
            {
                names.RemoveAt(names.Count - 1);
            }
            else if (name != ".")
            {
                names.Add(name);
            }
        }

        return names.Count == 0 ? "" : "/" + string.Join('/', names);
    }

    /// <summary>A pattern on its way: arrived at a path, with the names from <c>Next</c> on still to match.</summary>
    private readonly record struct Item(WantedPath Wanted, string Path, int Next);
}

using Breakwater.CacheStore;

namespace Breakwater.Proxy.Repositories;

/// <summary>A path that differs between two snapshots.</summary>
/// <param name="Path">Absolute path; empty for the root.</param>
/// <param name="Before">Its entry in the older one, without path; null: the path is new.</param>
/// <param name="After">Its entry in the newer one, without path; null: the path is gone.</param>
internal readonly record struct PathChange(string Path, CatalogEntry? Before, CatalogEntry? After);

/// <summary>
/// What differs between two snapshots of a repository. Catalogs with the same hash at the same place are skipped with all below them, so the
/// work grows with what a publish changed, not with the repository.
/// </summary>
internal static class RevisionDiff
{
    private const int MaxDepth = 64;

    /// <summary>Compares two snapshots.</summary>
    /// <param name="before">Root catalog of the older one.</param>
    /// <param name="after">Root catalog of the newer one.</param>
    /// <param name="open">Opens catalogs.</param>
    /// <param name="visit">Gets each path that differs in content, size, kind or link target, and each new or gone one. A path that moved into
    /// or out of a nested catalog is told twice: once gone, once new.</param>
    /// <param name="cancellationToken">Ends the comparison.</param>
    /// <returns>Null: done. Else why not.</returns>
    public static Task<string?> CompareAsync(
        ObjectKey before,
        ObjectKey after,
        CatalogOpener open,
        Action<PathChange> visit,
        CancellationToken cancellationToken = default) =>
        CompareAsync(before, after, 0, open, visit, cancellationToken);

    private static async Task<string?> CompareAsync(
        ObjectKey? before,
        ObjectKey? after,
        int depth,
        CatalogOpener open,
        Action<PathChange> visit,
        CancellationToken cancellationToken)
    {
        if (before == after)
        {
            return null;
        }

        if (depth == MaxDepth)
        {
            return $"Catalog: nested more than {MaxDepth} deep.";
        }

        Catalog? old = null;
        Catalog? current = null;
        try
        {
            if (before is ObjectKey oldKey && !(await open(oldKey, cancellationToken)).TryGet(out old, out string? problem))
            {
                return problem;
            }

            if (after is ObjectKey newKey && !(await open(newKey, cancellationToken)).TryGet(out current, out problem))
            {
                return problem;
            }

            problem = CompareRows(old, current, visit);
            foreach ((ObjectKey? oldChild, ObjectKey? newChild) in problem is null ? PairNested(old, current) : [])
            {
                problem = await CompareAsync(oldChild, newChild, depth + 1, open, visit, cancellationToken);
                if (problem is not null)
                {
                    break;
                }
            }

            return problem;
        }
        finally
        {
            old?.Dispose();
            current?.Dispose();
        }
    }

    /// <summary>Merges the two catalogs' rows in the order of their keys.</summary>
    private static string? CompareRows(Catalog? old, Catalog? current, Action<PathChange> visit)
    {
        CatalogCursor? left = old?.Scan();
        CatalogCursor? right = current?.Scan();
        string? problem = left?.MoveNext() ?? right?.MoveNext();
        while (problem is null && (left?.Current is not null || right?.Current is not null))
        {
            int order = left?.Current is not { } l ? 1 : right?.Current is not { } r ? -1 : l.Key.CompareTo(r.Key);
            CatalogEntry? before = order <= 0 ? left!.Current : null;
            CatalogEntry? after = order >= 0 ? right!.Current : null;
            bool differs = before is null || after is null || Differs(before, after);
            if (!differs && after!.IsChunked && after.Object is null)
            {
                problem = CompareChunks(old!, before!, current!, after, out differs);
            }

            if (differs && problem is null)
            {
                problem = (after is null ? left : right)!.ReadPath(out string? path);
                if (problem is null && path is not null)
                {
                    visit(new PathChange(path, before, after));
                }
            }

            problem ??= order <= 0 ? left!.MoveNext() : null;
            problem ??= order >= 0 ? right!.MoveNext() : null;
        }

        return problem;
    }

    private static bool Differs(CatalogEntry before, CatalogEntry after) =>
        before.Object != after.Object || before.Flags != after.Flags || before.Algorithm != after.Algorithm || before.LinkTarget != after.LinkTarget
        || (before.SizeBytes != after.SizeBytes && !after.IsDirectory);

    private static string? CompareChunks(Catalog old, CatalogEntry before, Catalog current, CatalogEntry after, out bool differs)
    {
        List<CatalogChunk> left = [];
        List<CatalogChunk> right = [];
        string? problem = old.ReadChunks(before, left) ?? current.ReadChunks(after, right);
        differs = !left.SequenceEqual(right);
        return problem;
    }

    private static IEnumerable<(ObjectKey? Old, ObjectKey? New)> PairNested(Catalog? old, Catalog? current)
    {
        Dictionary<string, ObjectKey> before = (old?.Nested ?? []).ToDictionary(child => child.Path, child => child.Catalog, StringComparer.Ordinal);
        foreach (NestedCatalog child in current?.Nested ?? [])
        {
            yield return (before.Remove(child.Path, out ObjectKey key) ? key : null, child.Catalog);
        }

        foreach (ObjectKey gone in before.Values)
        {
            yield return (gone, null);
        }
    }
}

using Breakwater.Repositories;

namespace Breakwater.Proxy.Snapshots;

/// <summary>
/// A directory of which nearly every file is read (the scripts of an init system, say) belongs to the set whole: a file that the next
/// revision adds to it will be read as well.
/// </summary>
internal static class WholeDirectoryRule
{
    /// <summary>At least this share of the directory's files.</summary>
    public const double MinShare = 0.9;

    /// <summary>At least this many files: of two files, both are often read by chance.</summary>
    public const int MinFiles = 4;

    /// <summary>Finds the directories to which the rule applies.</summary>
    public static async Task<Parsed<IReadOnlyList<string>>> FindAsync(
        CatalogTree tree,
        IEnumerable<WorkingSetEntry> entries,
        CancellationToken cancellationToken = default)
    {
        Dictionary<string, HashSet<string>> read = new(StringComparer.Ordinal);
        foreach (WorkingSetEntry entry in entries)
        {
            if (entry.Path is { Length: > 0 } path && !entry.IsCatalogOnly && (entry.IsLiteral || path.AsSpan().IndexOfAny('*', '?') < 0))
            {
                string directory = path[..path.LastIndexOf('/')];
                if (!read.TryGetValue(directory, out HashSet<string>? files))
                {
                    read[directory] = files = new HashSet<string>(StringComparer.Ordinal);
                }

                files.Add(path);
            }
        }

        string[] candidates = [.. read.Where(pair => pair.Value.Count >= MinFiles).Select(pair => pair.Key)];
        Parsed<Resolution> resolved = await SnapshotResolver.ResolveAsync(
            tree,
            candidates.Select((directory, index) => new WantedPath(index, PathPattern.Children(directory))),
            cancellationToken);
        if (!resolved.TryGet(out Resolution? resolution, out string? problem))
        {
            return new Malformed(problem);
        }

        List<string> whole = [];
        foreach (IGrouping<string, ResolvedFile> directory
            in resolution.Files.GroupBy(file => file.Path[..file.Path.LastIndexOf('/')], StringComparer.Ordinal))
        {
            string[] files = [.. directory.Select(file => file.Path).Where(path => !IsMarker(path))];
            if (read.TryGetValue(directory.Key, out HashSet<string>? wanted) && files.Count(wanted.Contains) is int count
                && count >= MinFiles && count >= MinShare * files.Length)
            {
                whole.Add(directory.Key);
            }
        }

        whole.Sort(StringComparer.Ordinal);
        return whole;
    }

    /// <summary>Files that only the publisher's tools read.</summary>
    public static bool IsMarker(string path) =>
        path.EndsWith("/.cvmfscatalog", StringComparison.Ordinal) || path.EndsWith("/.cvmfsdirtab", StringComparison.Ordinal)
        || path.EndsWith("/.cvmfsautocatalog", StringComparison.Ordinal);
}

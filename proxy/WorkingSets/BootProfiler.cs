using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Snapshots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>Maps a recorded boot's keys back to paths through the catalogs that it read.</summary>
internal static class BootProfiler
{
    /// <summary>The same bytes may be at several paths (hard links, copies); with more than this many, the key alone is kept.</summary>
    private const int MaxNamesOfOneKey = 4;

    /// <summary>Maps a boot.</summary>
    /// <param name="boot">The boot; it must have read a root catalog.</param>
    /// <param name="tree">The snapshot that it mounted.</param>
    /// <param name="history">The tags at that time; null when it read none.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    public static async Task<Parsed<BootProfile>> MapAsync(
        RecordedBoot boot,
        CatalogTree tree,
        History? history,
        CancellationToken cancellationToken = default)
    {
        HashSet<ObjectKey> keys = [.. boot.Reads.Select(read => read.Key)];
        Parsed<Dictionary<ObjectKey, List<KeyName>>> search = await KeyNames.FindAsync(tree, keys, keys.Contains, cancellationToken);
        if (!search.TryGet(out Dictionary<ObjectKey, List<KeyName>>? names, out string? problem))
        {
            return new Malformed(problem);
        }

        List<WorkingSetEntry> entries = ToEntries(boot, names);
        Parsed<IReadOnlyList<string>> whole = await WholeDirectoryRule.FindAsync(tree, entries, cancellationToken);
        if (!whole.TryGet(out IReadOnlyList<string>? directories, out problem))
        {
            return new Malformed(problem);
        }

        return new BootProfile(Snapshots(boot, tree.RootCatalog, history), entries, directories);
    }

    /// <summary>
    /// Which tags show the root that was mounted? <c>trunk</c> and the like are made by every publish and mean the newest revision.
    /// </summary>
    private static string[] Snapshots(RecordedBoot boot, ObjectKey root, History? history)
    {
        if (!boot.HasReadHistory || history is null)
        {
            return [WorkingSet.Trunk];
        }

        string[] tags =
            [.. history.Tags.Where(tag => tag.RootCatalog == root && tag.Name is not ("trunk" or "trunk-previous")).Select(tag => tag.Name)
            .Order(StringComparer.Ordinal)];
        return tags.Length == 0 ? [WorkingSet.Trunk] : tags;
    }

    private static List<WorkingSetEntry> ToEntries(RecordedBoot boot, Dictionary<ObjectKey, List<KeyName>> names)
    {
        List<WorkingSetEntry> entries = [];
        Dictionary<string, int> chunked = new(StringComparer.Ordinal);
        foreach (BootRead read in boot.Reads)
        {
            if (read.Key.Kind is ObjectKind.Certificate or ObjectKind.History)
            {
                continue; // Every mount reads the manifest's own: they are part of every resolved set.
            }

            if (!names.TryGetValue(read.Key, out List<KeyName>? places) || places.Count > MaxNamesOfOneKey)
            {
                entries.Add(new WorkingSetEntry { Key = read.Key, Offset = read.Offset });
                continue;
            }

            foreach (KeyName place in places)
            {
                bool isCatalog = read.Key.Kind == ObjectKind.Catalog;
                if (place.Range is not { } range)
                {
                    entries.Add(new WorkingSetEntry
                    {
                        Path = place.Path,
                        IsLiteral = true,
                        IsCatalogOnly = isCatalog,
                        Offset = read.Offset
                    });
                }
                else if (chunked.TryGetValue(place.Path, out int index))
                {
                    entries[index] = entries[index] with { Ranges = [.. entries[index].Ranges!, range] };
                }
                else
                {
                    chunked[place.Path] = entries.Count;
                    entries.Add(new WorkingSetEntry { Path = place.Path, IsLiteral = true, Ranges = [range], Offset = read.Offset });
                }
            }
        }

        return entries;
    }
}

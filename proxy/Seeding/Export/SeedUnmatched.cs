using Breakwater.Proxy.Snapshots;

namespace Breakwater.Proxy.Seeding.Export;

/// <summary>Gathers which entries of an export's list match nothing, over all of its snapshots. Not thread-safe.</summary>
internal sealed class SeedUnmatched
{
    private readonly Dictionary<string, (int Asked, int Empty, int Directories)> _entries = new(StringComparer.Ordinal);
    private readonly List<string> _order = [];

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _entries.Clear();
        _order.Clear();
    }

    /// <summary>Adds what one snapshot has of a set.</summary>
    public void Add(WorkingSet set, ResolvedSet? resolved)
    {
        foreach (WorkingSetEntry entry in set.Entries.Where(entry => entry is { Path: not null, IsCatalogOnly: false }))
        {
            Count(entry.Path!, new(1, 0, 0));
        }

        foreach (UnmatchedEntry unmatched in resolved?.Unmatched ?? [])
        {
            Count(unmatched.Entry.Path!, unmatched.IsDirectory ? new(0, 0, 1) : new(0, 1, 0));
        }
    }

    /// <summary>A sentence for each entry that is in no snapshot; in the order of the list.</summary>
    /// <param name="mayNameDirectories">A directory's name means the directory alone, as in a specification.</param>
    public IReadOnlyList<string> Sentences(bool mayNameDirectories) =>
    [
        .. _order.Select(path => (Path: path, State: _entries[path])).Where(entry => entry.State.Empty >= entry.State.Asked)
            .Select(entry => $"{entry.Path} matches nothing"),
        .. _order.Where(path => !mayNameDirectories && _entries[path].Directories > 0)
            .Select(path => $"{path} names directories, of which nothing below is carried; write {Below(path)}"),
    ];

    /// <summary>A sentence for each entry that is in some of the snapshots only.</summary>
    public IReadOnlyList<string> Partly() =>
    [
        .. _order.Select(path => (Path: path, State: _entries[path]))
            .Where(entry => entry.State.Empty > 0 && entry.State.Empty < entry.State.Asked)
            .Select(entry => $"{entry.Path} matches nothing in {entry.State.Empty} of {entry.State.Asked} snapshots"),
    ];

    private static string Below(string path) => (path.EndsWith("/*", StringComparison.Ordinal) ? path[..^2] : path) + "/** for all of it";

    private void Count(string path, (int Asked, int Empty, int Directories) more)
    {
        if (!_entries.TryGetValue(path, out (int Asked, int Empty, int Directories) counts))
        {
            _order.Add(path);
        }

        _entries[path] = (counts.Asked + more.Asked, counts.Empty + more.Empty, counts.Directories + more.Directories);
    }
}

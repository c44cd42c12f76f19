using Breakwater.Proxy.Snapshots;

namespace Breakwater.Proxy.Admin;

/// <summary>What the admin API tells of a working set.</summary>
internal sealed record WorkingSetView(
    string Repository, string Name, WorkingSetSource Source, IReadOnlyList<string> Snapshots, int Entries, int WholeDirectories, int Boots,
    DateTimeOffset UpdatedAt)
{
    /// <summary>After an import: its paths that the snapshot does not have, the first thousand.</summary>
    public IReadOnlyList<string>? Unmatched { get; init; }

    /// <summary>After the import of a trace: its lines that the client had cut, and that were skipped.</summary>
    public int? SkippedLines { get; init; }
}

using Breakwater.Repositories;

namespace Breakwater.Proxy.Snapshots;

/// <summary>What a boot of a repository reads: named and ordered. Immutable.</summary>
internal sealed record WorkingSet
{
    /// <summary>In <see cref="Snapshots"/>: the newest revision, whatever its tags.</summary>
    public const string Trunk = "";

    /// <summary>The name, unique within the repository.</summary>
    public required string Name { get; init; }

    /// <summary>The repository.</summary>
    public required Fqrn Repository { get; init; }

    /// <summary>Where it comes from.</summary>
    public required WorkingSetSource Source { get; init; }

    /// <summary>The tags that are booted; <see cref="Trunk"/> for the newest revision. Never empty.</summary>
    public required IReadOnlyList<string> Snapshots { get; init; }

    /// <summary>What is read, in the order in which it is read.</summary>
    public required IReadOnlyList<WorkingSetEntry> Entries { get; init; }

    /// <summary>Directories that belong whole: files that are new in them join at the next revision.</summary>
    public IReadOnlyList<string> WholeDirectories { get; init; } = [];

    /// <summary>What is left out, with all that is below: of a list for one export; a set that is kept has none.</summary>
    public IReadOnlyList<PathPattern> Excluded { get; init; } = [];

    /// <summary>How many boots it was merged from; 0 when given.</summary>
    public int Boots { get; init; }

    /// <summary>When it was last changed.</summary>
    public DateTimeOffset UpdatedAt { get; init; }
}

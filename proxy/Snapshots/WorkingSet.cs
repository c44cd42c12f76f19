using Breakwater.CacheStore;

namespace Breakwater.Proxy.Snapshots;

/// <summary>Where a working set comes from.</summary>
internal enum WorkingSetSource
{
    /// <summary>From boots that this proxy served.</summary>
    Learned,

    /// <summary>From a list or a trace that an operator handed in.</summary>
    Given,

    /// <summary>From the repository itself (<c>.ucernvm_pinfiles</c>).</summary>
    Repository,
}

/// <summary>A stretch of a file.</summary>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Bytes.</param>
internal readonly record struct ByteRange(long Offset, long Length)
{
    /// <summary>Do the two share a byte?</summary>
    public bool Overlaps(long offset, long length) => offset < Offset + Length && Offset < offset + length;
}

/// <summary>One thing that a boot reads: a path (resolved anew for each revision), or a bare key where no path is known.</summary>
internal sealed record WorkingSetEntry
{
    /// <summary>Absolute path, or a glob; empty for the root. Null: <see cref="Key"/> says what.</summary>
    public string? Path { get; init; }

    /// <summary>The path's characters mean themselves (learned paths may contain a star).</summary>
    public bool IsLiteral { get; init; }

    /// <summary>The object, where no path is known.</summary>
    public ObjectKey? Key { get; init; }

    /// <summary>Only the catalogs on the way are read, not the file: it was looked up, not opened.</summary>
    public bool IsCatalogOnly { get; init; }

    /// <summary>What of the file is read; null: all of it.</summary>
    public IReadOnlyList<ByteRange>? Ranges { get; init; }

    /// <summary>The share of boots that read it, 0 to 1.</summary>
    public double Share { get; init; } = 1;

    /// <summary>Median time from the boot's start; null when unknown.</summary>
    public TimeSpan? Offset { get; init; }
}

/// <summary>What a boot of a repository reads: named and ordered. Immutable.</summary>
internal sealed record WorkingSet
{
    /// <summary>In <see cref="Snapshots"/>: the newest revision, whatever its tags.</summary>
    public const string Trunk = "";

    /// <summary>The name, unique within the repository.</summary>
    public required string Name { get; init; }

    /// <summary>The repository.</summary>
    public required string Repository { get; init; }

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

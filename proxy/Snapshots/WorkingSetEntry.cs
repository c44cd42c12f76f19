using Breakwater.CacheStore;

namespace Breakwater.Proxy.Snapshots;

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
    public IReadOnlyList<Stretch>? Ranges { get; init; }

    /// <summary>The share of boots that read it, 0 to 1.</summary>
    public double Share { get; init; } = 1;

    /// <summary>Median time from the boot's start; null when unknown.</summary>
    public TimeSpan? Offset { get; init; }
}

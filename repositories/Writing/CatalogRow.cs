namespace Breakwater.Repositories.Writing;

/// <summary>One row of a catalog that is written. Byte arrays stay the caller's and are not changed.</summary>
public readonly record struct CatalogRow
{
    /// <summary>Key of its path.</summary>
    public required PathKey Key { get; init; }

    /// <summary>Key of its directory's path; both halves 0 for the root of a repository.</summary>
    public required PathKey Parent { get; init; }

    /// <summary>Its name, any bytes but <c>/</c> and 0; empty for the root of a repository.</summary>
    public required ReadOnlyMemory<byte> Name { get; init; }

    /// <summary>What it is.</summary>
    public required CatalogFlags Flags { get; init; }

    /// <summary>Bytes of a file; length of a link's target; 4096 for directories; device number of devices; else 0.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Type and permissions, as stat has them.</summary>
    public required uint Mode { get; init; }

    /// <summary>Seconds since 1970, rounded down.</summary>
    public required long ModifiedAt { get; init; }

    /// <summary>Owner.</summary>
    public required uint Uid { get; init; }

    /// <summary>Group.</summary>
    public required uint Gid { get; init; }

    /// <summary>Number of a group of hard links, unique in the catalog, above its link count; see <see cref="LinksOf"/>.</summary>
    public required long HardLinks { get; init; }

    /// <summary>SHA-1 of the object with the content; empty: none.</summary>
    public ReadOnlyMemory<byte> Digest { get; init; }

    /// <summary>Target of a symbolic link.</summary>
    public ReadOnlyMemory<byte> LinkTarget { get; init; }

    /// <summary>Extended attributes as <see cref="XattrList"/> has them; empty: none.</summary>
    public ReadOnlyMemory<byte> Xattrs { get; init; }

    /// <summary>The value of <see cref="HardLinks"/>.</summary>
    /// <param name="group">0: it has no other names.</param>
    /// <param name="count">Names in the group; for a directory 2 and the directories in it.</param>
    public static long LinksOf(uint group, uint count) => ((long)group << 32) | count;
}

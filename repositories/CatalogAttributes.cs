namespace Breakwater.Repositories;

/// <summary>What a file system shows of an entry beside its content.</summary>
public sealed class CatalogAttributes
{
    /// <summary>Type and permissions, as stat has them.</summary>
    public required uint Mode { get; init; }

    /// <summary>Seconds since 1970; negative before.</summary>
    public required long ModifiedAt { get; init; }

    /// <summary>Owner.</summary>
    public required uint Uid { get; init; }

    /// <summary>Group.</summary>
    public required uint Gid { get; init; }

    /// <summary>Number of the group of hard links that it is in, unique in its catalog; 0: it has no other names.</summary>
    public required uint LinkGroup { get; init; }

    /// <summary>Its names; for a directory 2 and the directories in it.</summary>
    public required uint LinkCount { get; init; }

    /// <summary>Target of a symbolic link as stored, any bytes; empty for everything else.</summary>
    public required byte[] LinkTarget { get; init; }

    /// <summary>Extended attributes, as <see cref="Writing.XattrList"/> has them; null: none.</summary>
    public required byte[]? Xattrs { get; init; }
}

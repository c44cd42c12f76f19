using Breakwater.CacheStore;

namespace Breakwater.Repositories;

/// <summary>One row of a catalog.</summary>
public sealed class CatalogEntry
{
    /// <summary>
    /// Absolute path, <c>""</c> for the root. Bytes that are not UTF-8 show as U+FFFD; <see cref="Key"/> is right all the same.
    /// </summary>
    public required string Path { get; init; }

    /// <summary>The path's key.</summary>
    public required PathKey Key { get; init; }

    /// <summary>Key of the directory that it is in.</summary>
    public PathKey Parent { get; init; }

    /// <summary>What it is.</summary>
    public required CatalogFlags Flags { get; init; }

    /// <summary>Length of the content in bytes, once inflated.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Hash algorithm of the content and of its chunks.</summary>
    public required DigestAlgorithm Algorithm { get; init; }

    /// <summary>The objects are stored as they are, not as zlib streams.</summary>
    public required bool IsStoredPlain { get; init; }

    /// <summary>
    /// The object with the whole content; null for what has none (directories, links; chunked files may have one or not).
    /// </summary>
    public required ObjectKey? Object { get; init; }

    /// <summary>Target of a symbolic link, as stored (variables unexpanded); empty for everything else.</summary>
    public required string LinkTarget { get; init; }

    /// <summary>A directory?</summary>
    public bool IsDirectory => (Flags & CatalogFlags.Directory) != 0;

    /// <summary>A symbolic link?</summary>
    public bool IsLink => (Flags & CatalogFlags.Link) != 0;

    /// <summary>A regular file whose bytes are objects of the repository?</summary>
    public bool HasObjects =>
        (Flags & CatalogFlags.File) != 0 && (Flags & (CatalogFlags.Link | CatalogFlags.Special | CatalogFlags.External)) == 0;

    /// <summary>A file in chunks?</summary>
    public bool IsChunked => (Flags & CatalogFlags.Chunked) != 0;
}

using Breakwater.CacheStore;

namespace Breakwater.Repositories;

/// <summary>Flag bits of a catalog row that matter here; values combine.</summary>
[Flags]
public enum CatalogFlags
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>A directory.</summary>
    Directory = 1,

    /// <summary>A directory at which a nested catalog begins, seen from above.</summary>
    NestedMountpoint = 2,

    /// <summary>A regular file.</summary>
    File = 4,

    /// <summary>A symbolic link (together with <see cref="File"/>).</summary>
    Link = 8,

    /// <summary>Device, FIFO or socket.</summary>
    Special = 16,

    /// <summary>The root of a nested catalog, seen from within.</summary>
    NestedRoot = 32,

    /// <summary>A file whose bytes are in chunks.</summary>
    Chunked = 64,

    /// <summary>A file whose bytes are outside of the repository, addressed by path.</summary>
    External = 128,

    /// <summary>A directory that shows another one.</summary>
    BindMountpoint = 0x4000,

    /// <summary>Not listed to users.</summary>
    Hidden = 0x8000,
}

/// <summary>One row of a catalog.</summary>
public sealed class CatalogEntry
{
    /// <summary>Absolute path, <c>""</c> for the root. Bytes that are not UTF-8 show as U+FFFD; <see cref="Key"/> is right all the same.</summary>
    public required string Path { get; init; }

    /// <summary>The path's key.</summary>
    public required PathKey Key { get; init; }

    /// <summary>What it is.</summary>
    public required CatalogFlags Flags { get; init; }

    /// <summary>Length of the content in bytes, once inflated.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Hash algorithm of the content and of its chunks.</summary>
    public required DigestAlgorithm Algorithm { get; init; }

    /// <summary>The objects are stored as they are, not as zlib streams.</summary>
    public required bool IsStoredPlain { get; init; }

    /// <summary>The object with the whole content; null for what has none (directories, links; chunked files may have one or not).</summary>
    public required ObjectKey? Object { get; init; }

    /// <summary>Target of a symbolic link, as stored (variables unexpanded); empty for everything else.</summary>
    public required string LinkTarget { get; init; }

    /// <summary>A directory?</summary>
    public bool IsDirectory => (Flags & CatalogFlags.Directory) != 0;

    /// <summary>A symbolic link?</summary>
    public bool IsLink => (Flags & CatalogFlags.Link) != 0;

    /// <summary>A regular file whose bytes are objects of the repository?</summary>
    public bool HasObjects => (Flags & CatalogFlags.File) != 0 && (Flags & (CatalogFlags.Link | CatalogFlags.Special | CatalogFlags.External)) == 0;

    /// <summary>A file in chunks?</summary>
    public bool IsChunked => (Flags & CatalogFlags.Chunked) != 0;
}

/// <summary>One chunk of a file.</summary>
/// <param name="Offset">Where it begins in the file, bytes.</param>
/// <param name="SizeBytes">Its length once inflated.</param>
/// <param name="Object">Its object, kind <c>P</c>.</param>
public readonly record struct CatalogChunk(long Offset, long SizeBytes, ObjectKey Object);

/// <summary>A catalog that hangs below another one.</summary>
/// <param name="Path">Absolute path of the directory at which it begins.</param>
/// <param name="Catalog">Its object, kind <c>C</c>.</param>
/// <param name="SizeBytes">Its length once inflated, as stated by the parent; 0 when not stated.</param>
public sealed record NestedCatalog(string Path, ObjectKey Catalog, long SizeBytes);

/// <summary>Gets one chunk of a file that is known by its path's key; the digest is valid during the call only.</summary>
public delegate void ChunkVisitor(PathKey file, long offset, long sizeBytes, ReadOnlySpan<byte> digest);

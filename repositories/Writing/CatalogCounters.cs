namespace Breakwater.Repositories.Writing;

/// <summary>
/// What the statistics of a catalog count. Of one catalog: its own root counts as a directory here, and its mountpoint again above.
/// </summary>
public readonly record struct CatalogCounters
{
    /// <summary>Files.</summary>
    public long Regular { get; init; }

    /// <summary>Symbolic links.</summary>
    public long Symlinks { get; init; }

    /// <summary>Devices, FIFOs, sockets.</summary>
    public long Special { get; init; }

    /// <summary>Directories.</summary>
    public long Directories { get; init; }

    /// <summary>Nested catalogs.</summary>
    public long Nested { get; init; }

    /// <summary>Files in chunks.</summary>
    public long Chunked { get; init; }

    /// <summary>Chunks.</summary>
    public long Chunks { get; init; }

    /// <summary>Bytes of all files.</summary>
    public long FileBytes { get; init; }

    /// <summary>Bytes of files in chunks.</summary>
    public long ChunkedBytes { get; init; }

    /// <summary>Entries with extended attributes.</summary>
    public long Xattrs { get; init; }

    /// <summary>Adds.</summary>
    public static CatalogCounters operator +(CatalogCounters a, CatalogCounters b) => new()
    {
        Regular = a.Regular + b.Regular,
        Symlinks = a.Symlinks + b.Symlinks,
        Special = a.Special + b.Special,
        Directories = a.Directories + b.Directories,
        Nested = a.Nested + b.Nested,
        Chunked = a.Chunked + b.Chunked,
        Chunks = a.Chunks + b.Chunks,
        FileBytes = a.FileBytes + b.FileBytes,
        ChunkedBytes = a.ChunkedBytes + b.ChunkedBytes,
        Xattrs = a.Xattrs + b.Xattrs,
    };

    /// <summary>Adds, under the name that languages without operators call.</summary>
    public static CatalogCounters Add(CatalogCounters left, CatalogCounters right) => left + right;

    /// <summary>What one row counts.</summary>
    /// <param name="row">The row.</param>
    /// <param name="chunks">Its chunks; 0 for what has none.</param>
    public static CatalogCounters Of(in CatalogRow row, int chunks)
    {
        bool isLink = (row.Flags & CatalogFlags.Link) != 0;
        bool isSpecial = (row.Flags & CatalogFlags.Special) != 0;
        bool isRegular = (row.Flags & CatalogFlags.File) != 0 && !isLink && !isSpecial;
        bool isChunked = (row.Flags & CatalogFlags.Chunked) != 0;
        return new CatalogCounters
        {
            Regular = isRegular ? 1 : 0,
            Symlinks = isLink ? 1 : 0,
            Special = isSpecial ? 1 : 0,
            Directories = (row.Flags & CatalogFlags.Directory) != 0 ? 1 : 0,
            Nested = (row.Flags & CatalogFlags.NestedMountpoint) != 0 ? 1 : 0,
            Chunked = isChunked ? 1 : 0,
            Chunks = chunks,
            FileBytes = isRegular ? row.SizeBytes : 0,
            ChunkedBytes = isChunked ? row.SizeBytes : 0,
            Xattrs = row.Xattrs.IsEmpty ? 0 : 1,
        };
    }

    /// <summary>The rows of the table, without <c>self_</c> or <c>subtree_</c>, in the order of their names.</summary>
    internal IEnumerable<(string Name, long Value)> Rows() =>
    [
        ("chunked", Chunked), ("chunked_size", ChunkedBytes), ("chunks", Chunks), ("dir", Directories), ("external", 0),
        ("external_file_size", 0), ("file_size", FileBytes), ("nested", Nested), ("regular", Regular), ("special", Special),
        ("symlink", Symlinks), ("xattr", Xattrs),
    ];
}

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

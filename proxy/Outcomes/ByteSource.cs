namespace Breakwater.Proxy.Outcomes;

/// <summary>Which tier the bytes of an answer came from.</summary>
internal enum ByteSource : byte
{
    /// <summary>No bytes of a repository.</summary>
    None,

    /// <summary>The store, from the page cache or a buffer.</summary>
    Memory,

    /// <summary>The store, and at least one part had to be read from disk.</summary>
    Disk,

    /// <summary>A fetch that another request had started.</summary>
    Joined,

    /// <summary>A Stratum 1, asked for this request.</summary>
    Upstream,
}

namespace Breakwater.Proxy.Seeding.Format;

/// <summary>What an entry of a bundle is, by its name.</summary>
internal enum SeedEntryKind : byte
{
    /// <summary><c>breakwater-seed/index.json</c>.</summary>
    Index,

    /// <summary><c>breakwater-seed/index.sha256</c>.</summary>
    Checksums,

    /// <summary>A small file that the index lists with its SHA-256: manifest, whitelist, master key, list of inherited objects.</summary>
    Document,

    /// <summary><c>cvmfs/&lt;fqrn&gt;/data/xx/…</c>.</summary>
    Object,
}

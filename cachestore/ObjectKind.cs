namespace Breakwater.CacheStore;

/// <summary>What an object is for. The value is the letter that CernVM-FS appends to its name; 0: no letter.</summary>
public enum ObjectKind : byte
{
    /// <summary>A file.</summary>
    Plain = 0,

    /// <summary>A catalog: a directory tree of a revision.</summary>
    Catalog = (byte)'C',

    /// <summary>A part of a large file.</summary>
    Chunk = (byte)'P',

    /// <summary>The list of named revisions.</summary>
    History = (byte)'H',

    /// <summary>The certificate that signs manifests.</summary>
    Certificate = (byte)'X',

    /// <summary>A description of the repository.</summary>
    MetaInfo = (byte)'M',

    /// <summary>A small catalog.</summary>
    MicroCatalog = (byte)'L',

    /// <summary>A temporary object.</summary>
    Temporary = (byte)'T',
}

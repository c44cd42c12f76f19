using Breakwater.CacheStore;

namespace Breakwater.Proxy.Seeding.Import;

/// <summary>What a check of a bundle needs of its objects: which are there, and the bytes of catalogs and histories.</summary>
internal interface ISeedMetadata
{
    /// <summary>Is the object there?</summary>
    bool Has(in ObjectKey key);

    /// <summary>The bytes of a catalog or history, seekable; null: not there.</summary>
    Stream? Open(in ObjectKey key);

    /// <summary>
    /// Only an earlier bundle has it (<c>--since</c>), and that is not at hand: what it says cannot be checked here, an import checks it.
    /// </summary>
    bool IsElsewhere(in ObjectKey key);
}

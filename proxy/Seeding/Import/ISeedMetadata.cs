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
    /// Is the object only in an earlier bundle (<c>--since</c>) that is not at hand? Then it cannot be checked here; the import checks it.
    /// </summary>
    bool IsElsewhere(in ObjectKey key);
}

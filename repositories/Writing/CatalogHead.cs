using Breakwater.CacheStore;

namespace Breakwater.Repositories.Writing;

/// <summary>What a catalog says of itself.</summary>
public sealed record CatalogHead
{
    /// <summary>Absolute path of the directory at which it begins; empty for a root catalog.</summary>
    public required ReadOnlyMemory<byte> Prefix { get; init; }

    /// <summary>The revision in which it is written.</summary>
    public required ulong Revision { get; init; }

    /// <summary>The repository's time to live, in root catalogs.</summary>
    public required TimeSpan Ttl { get; init; }

    /// <summary>When it is written.</summary>
    public required DateTimeOffset ModifiedAt { get; init; }

    /// <summary>The catalog of the revision before at this place; null: none is named. Replication follows it, so it must exist.</summary>
    public ObjectKey? Previous { get; init; }
}

using Breakwater.CacheStore;

namespace Breakwater.Proxy.Admin;

/// <summary>A store as the commands see it: of this process, or of the Breakwater that has it open.</summary>
internal interface IStoreAccess : IAsyncDisposable
{
    /// <summary>How it stands.</summary>
    Task<StoreStatistics> StatisticsAsync(CancellationToken cancellationToken);

    /// <summary>What it holds.</summary>
    /// <param name="pinnedOnly">Only what is pinned?</param>
    /// <param name="repository">Only what its catalogs in the store name; null: everything.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    IAsyncEnumerable<ListedObject> ListAsync(bool pinnedOnly, string? repository, CancellationToken cancellationToken);

    /// <summary>Hashes all of it again.</summary>
    Task<VerifyResult> VerifyAsync(bool repair, CancellationToken cancellationToken);

    /// <summary>Evicts by its own policy down to so many bytes. Returns what its segments take then.</summary>
    Task<long> EvictAsync(long bytes, CancellationToken cancellationToken);
}

using System.Runtime.CompilerServices;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Faster;
using Breakwater.CacheStore.Scrubbing;
using Breakwater.Proxy.Snapshots;

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

/// <summary>An object of a listing.</summary>
internal sealed record ListedObject(string Key, long SizeBytes, bool IsPinned);

/// <summary>What a verification found.</summary>
internal sealed record VerifyResult(long Objects, long Bytes, IReadOnlyList<string> Damaged, bool IsRepaired);

/// <summary>Nobody has the store: this process opens it.</summary>
/// <param name="store">The store.</param>
/// <param name="snapshots">Made when a repository is asked for.</param>
/// <param name="close">What disposing does.</param>
internal sealed class OfflineStore(FasterObjectStore store, Func<StoredSnapshots> snapshots, Func<ValueTask> close) : IStoreAccess
{
    public Task<StoreStatistics> StatisticsAsync(CancellationToken cancellationToken) => Task.FromResult(store.Statistics);

    public async IAsyncEnumerable<ListedObject> ListAsync(bool pinnedOnly, string? repository, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (StoredObjectInfo stored in repository is null ? EverythingAsync() : OfRepositoryAsync(repository, cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (stored.IsPinned || !pinnedOnly)
            {
                yield return new ListedObject(stored.Key.ToString(), stored.Length, stored.IsPinned);
            }
        }
    }

    private async IAsyncEnumerable<StoredObjectInfo> EverythingAsync()
    {
        await Task.CompletedTask;
        foreach (StoredObjectInfo stored in store.List())
        {
            yield return stored;
        }
    }

    private async IAsyncEnumerable<StoredObjectInfo> OfRepositoryAsync(string repository, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (ObjectKey key in snapshots().ObjectsAsync(repository, cancellationToken))
        {
            if (store.Find(key) is { } stored)
            {
                yield return stored;
            }
        }
    }

    public async Task<VerifyResult> VerifyAsync(bool repair, CancellationToken cancellationToken)
    {
        ScrubReport report = await store.VerifyAsync(null, repair, cancellationToken);
        return new VerifyResult(report.Objects, report.Bytes, [.. report.Damaged.Select(key => key.ToString())], repair);
    }

    public Task<long> EvictAsync(long bytes, CancellationToken cancellationToken) => store.EvictToAsync(bytes, cancellationToken);

    public ValueTask DisposeAsync() => close();
}

/// <summary>A running Breakwater has the store: it is asked by its admin port.</summary>
internal sealed class RunningStore(AdminClient admin) : IStoreAccess
{
    public Task<StoreStatistics> StatisticsAsync(CancellationToken cancellationToken) => admin.GetAsync<StoreStatistics>("store", cancellationToken);

    public IAsyncEnumerable<ListedObject> ListAsync(bool pinnedOnly, string? repository, CancellationToken cancellationToken) =>
        admin.StreamAsync<ListedObject>(
            HttpMethod.Get,
            $"store/objects?pinned={(pinnedOnly ? "true" : "false")}{(repository is null ? "" : "&repository=" + Uri.EscapeDataString(repository))}",
            null,
            cancellationToken);

    public Task<VerifyResult> VerifyAsync(bool repair, CancellationToken cancellationToken) =>
        admin.PostAsync<VerifyResult>(repair ? "store/verify?repair=true" : "store/verify", null, cancellationToken);

    public async Task<long> EvictAsync(long bytes, CancellationToken cancellationToken) =>
        (await admin.PostAsync<EvictResult>($"store/evict?bytes={bytes}", null, cancellationToken)).UsedBytes;

    public ValueTask DisposeAsync()
    {
        admin.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>What an eviction left.</summary>
internal sealed record EvictResult(long UsedBytes);

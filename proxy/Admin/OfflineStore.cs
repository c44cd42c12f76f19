using System.Runtime.CompilerServices;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Scrubbing;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Snapshots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Admin;

/// <summary>The store while no Breakwater runs: this process has opened it itself.</summary>
/// <param name="store">The store.</param>
/// <param name="snapshots">Makes what reads repositories in the store; called when one is asked for.</param>
/// <param name="close">Closes the store; called by disposing.</param>
internal sealed class OfflineStore(FasterObjectStore store, Func<StoredSnapshots> snapshots, Func<ValueTask> close) : IStoreAccess
{
    public Task<StoreStatistics> StatisticsAsync(CancellationToken cancellationToken) => Task.FromResult(store.Statistics);

    public async IAsyncEnumerable<ListedObject> ListAsync(bool pinnedOnly, string? repository,
        [EnumeratorCancellation] CancellationToken cancellationToken)
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

    private async IAsyncEnumerable<StoredObjectInfo> OfRepositoryAsync(string repository,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!Fqrn.TryParse(repository, out Fqrn fqrn))
        {
            yield break;
        }

        await foreach (ObjectKey key in snapshots().ObjectsAsync(fqrn, cancellationToken))
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

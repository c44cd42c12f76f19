using Breakwater.CacheStore;

namespace Breakwater.Proxy.Admin;

/// <summary>A running Breakwater has the store: it is asked by its admin port.</summary>
internal sealed class RunningStore(AdminClient admin) : IStoreAccess
{
    public Task<StoreStatistics> StatisticsAsync(CancellationToken cancellationToken) =>
        admin.GetAsync<StoreStatistics>("store", cancellationToken);

    public IAsyncEnumerable<ListedObject> ListAsync(bool pinnedOnly, string? repository, CancellationToken cancellationToken) =>
        admin.StreamAsync<ListedObject>(
            HttpMethod.Get,
            $"store/objects?pinned={(pinnedOnly ? "true" : "false")}"
                + (repository is null ? "" : "&repository=" + Uri.EscapeDataString(repository)),
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

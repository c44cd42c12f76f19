using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Snapshots;

namespace Breakwater.Proxy.Admin;

/// <summary>The store on the admin port: what <c>breakwater store</c> asks of a running Breakwater.</summary>
internal sealed class StoreRoom(FasterObjectStore store, StoredSnapshots snapshots) : IAdminRoom
{
    public void Map(AdminApi admin)
    {
#pragma warning disable CA2000 // disposing it does nothing: the store is the server's
        OfflineStore access = new(store, () => snapshots, static () => ValueTask.CompletedTask);
#pragma warning restore CA2000
        admin.Read("store", "What the store holds.", () => store.Statistics);
        admin.Read("store/objects", "The objects in the store, one after the other.",
            (bool? pinned, string? repository, CancellationToken cancellationToken) =>
            access.ListAsync(pinned ?? false, repository, cancellationToken));
        admin.Read("store/pins", "What is kept from eviction, and how much of it is here.", () => store.Pins.List());
        admin.Action("store/verify", "Reads every stored byte and compares it with its name.",
            (bool? repair, CancellationToken cancellationToken) => access.VerifyAsync(repair ?? false, cancellationToken));
        admin.Action("store/evict", "Frees so many bytes; what is pinned stays.", async (long bytes, CancellationToken cancellationToken) =>
            bytes < 0
                ? new AdminProblem("bytes must not be negative.").Result()
                : Results.Json(new EvictResult(await access.EvictAsync(bytes, cancellationToken))), typeof(EvictResult));
    }
}

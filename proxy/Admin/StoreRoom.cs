using Breakwater.CacheStore.Faster;
using Breakwater.Proxy.Commands.Store;

namespace Breakwater.Proxy.Admin;

/// <summary>The store on the admin port: what <c>breakwater store</c> asks of a running Breakwater.</summary>
internal sealed class StoreRoom(FasterObjectStore store) : IAdminRoom
{
    public void Map(AdminApi admin)
    {
#pragma warning disable CA2000 // the store is the server's: the commands' view of it is not to be disposed here
        OfflineStore access = new(store);
#pragma warning restore CA2000
        admin.Read("store", () => store.Statistics);
        admin.Read("store/objects", (bool? pinned, CancellationToken cancellationToken) => access.ListAsync(pinned ?? false, cancellationToken));
        admin.Read("store/pins", () => store.Pins.List());
        admin.Action("store/verify", (bool? repair, CancellationToken cancellationToken) => access.VerifyAsync(repair ?? false, cancellationToken));
        admin.Action("store/evict", async (long bytes, CancellationToken cancellationToken) =>
            bytes < 0
                ? new AdminProblem("bytes must not be negative.").Result()
                : Results.Json(new EvictResult(await access.EvictAsync(bytes, cancellationToken))));
    }
}

using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Observability;

namespace Breakwater.Proxy.Admin;

/// <summary>Registers this room.</summary>
internal static class AdminRegistration
{
    /// <summary>The admin port, and what it tells of each room.</summary>
    public static void AddAdmin(this IServiceCollection services, FasterObjectStore store)
    {
        services.AddSingleton<ProxyGauges>();
        services.AddSingleton<StoreGauges>();
        services.AddSingleton<IHealthSource>(new StoreHealth(() => store.Statistics, () => store.Missing));
        services.AddSingleton<IAdminRoom, HttpRoom>();
        services.AddSingleton<IAdminRoom, StoreRoom>();
        services.AddSingleton<IAdminRoom, PinRoom>();
        services.AddSingleton<IAdminRoom, WorkingSetAdmin>();
        services.AddSingleton<IAdminRoom, SeedRoom>();
        services.AddSingleton<IStatusPart, TrafficStatus>();
        services.AddSingleton<IStatusPart, UpstreamsStatus>();
        services.AddSingleton<IStatusPart, HoldingsStatus>();
        services.AddSingleton<IAdminRoom, StatusRoom>();
        services.AddSingleton<IAdminRoom, BootRoom>();
        services.AddSingleton<IAdminRoom, HistoryRoom>();
        services.AddSingleton<IAdminRoom, LifetimeRoom>();
        services.AddSingleton<AdminServer>();
        services.AddHostedService(provider => provider.GetRequiredService<AdminServer>());
    }
}

using Breakwater.CacheStore.Faster;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Export;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Host;

/// <summary>The rooms of seed bundles.</summary>
internal static class SeedingRooms
{
    /// <summary>Registers them.</summary>
    public static void Add(IServiceCollection services, BreakwaterSettings settings, FasterObjectStore store)
    {
        services.AddSingleton(store.Pins);
        services.AddSingleton(settings.Seeds);
        services.AddSingleton<SeedTrust>();
        services.AddSingleton(new SeedLimits(settings.Store.MaxObjectBytes));
        services.AddSingleton<SeedRegistry>();
        services.AddSingleton<SeedImporter>();
        services.AddSingleton<ObjectGetter>();
        services.AddSingleton<SeedPlanner>();
        services.AddSingleton<SeedExporter>();
        services.AddSingleton<SeedStart>();
        services.AddHostedService(provider => provider.GetRequiredService<SeedStart>());
        services.AddSingleton<IHealthSource>(provider => provider.GetRequiredService<SeedStart>());
        services.AddSingleton<IAdminRoom, SeedRoom>();
    }
}

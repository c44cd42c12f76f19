using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Seeding.Export;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Seeding;

/// <summary>Registers this room.</summary>
internal static class SeedingRegistration
{
    /// <summary>Seed bundles: export and import.</summary>
    public static void AddSeeding(this IServiceCollection services, BreakwaterSettings settings)
    {
        services.AddSingleton(settings.Seeds);
        services.AddReload<SeedOptions>((options, changed) => options.Take(changed.Seeds));
        services.AddSingleton<SeedTrust>();
        services.AddSingleton(new SeedLimits(settings.Store.MaxObjectBytes));
        services.AddSingleton<SeedRecords>();
        services.AddSingleton<SeedReveal>();
        services.AddSingleton<SeedRegistry>();
        services.AddSingleton<SeedImporter>();
        services.AddSingleton<ObjectGetter>();
        services.AddSingleton<SeedPlanner>();
        services.AddSingleton<SeedExporter>();
        services.AddSingleton<SeedStart>();
        services.AddReload<SeedStart>((seeds, _) => seeds.RevealAgain());
        services.AddHostedService(provider => provider.GetRequiredService<SeedStart>());
        services.AddSingleton<IHealthSource>(provider => provider.GetRequiredService<SeedStart>());
    }
}

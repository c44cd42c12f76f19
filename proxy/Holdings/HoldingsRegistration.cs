using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Holdings;

/// <summary>Registers this room.</summary>
internal static class HoldingsRegistration
{
    /// <summary>What this machine holds because its settings say so, and the healing of what is pinned.</summary>
    public static void AddHoldings(this IServiceCollection services)
    {
        services.AddHostedService<PinnedHealer>();
        services.AddSingleton<DeclaredPins>();
        services.AddSingleton<DeclaredSeeds>();
        services.AddSingleton<Declarations>();
        services.AddReload<Declarations>((declared, changed) => declared.Take(changed));
        services.AddHostedService(provider => provider.GetRequiredService<Declarations>());
        services.AddSingleton<IHealthSource>(provider => provider.GetRequiredService<Declarations>());
    }
}

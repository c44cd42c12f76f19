using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Fetching;

/// <summary>Registers this room.</summary>
internal static class FetchingRegistration
{
    /// <summary>The coalesced download of objects.</summary>
    public static void AddFetching(this IServiceCollection services, BreakwaterSettings settings)
    {
        services.AddSingleton(provider => new FetchQueue(
            settings.Proxy.MaxConcurrentFetches,
            Math.Max(1, settings.Proxy.MaxConcurrentFetches / 2),
            settings.Repositories.Values.Select(repository => repository.Cluster).OfType<string>())
        {
            ShareOf = provider.GetRequiredService<ISiteNodes>().ShareOf,
        });
        services.AddSingleton<NodeLine>();
        services.AddSingleton(new OverflowBudget(settings.Proxy.MaxUnstoredBytes));
        services.AddSingleton<FetchBodies>();
        services.AddSingleton<FetchServices>();
        services.AddSingleton<FetchCoordinator>();
        services.AddSingleton<ObjectReader>();
    }
}

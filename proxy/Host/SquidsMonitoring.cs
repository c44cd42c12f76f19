using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Observability.Snmp;
using Breakwater.Proxy.Observability.Squid;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Host;

/// <summary>What squid's monitoring asks: pages of its cache manager on the admin port, and SNMP where the settings have it.</summary>
internal static class SquidsMonitoring
{
    /// <summary>Registers both.</summary>
    public static void Add(IServiceCollection services, SnmpOptions options, FasterObjectStore store)
    {
        services.AddSingleton<SquidHistory>();
        services.AddHostedService(provider => provider.GetRequiredService<SquidHistory>());
        services.AddSingleton(provider => new SquidPages(
            provider.GetRequiredService<SquidHistory>(),
            () => store.Statistics,
            provider.GetRequiredService<ClientLimits>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IAdminRoom, SquidRoom>();
        if (options.ListenEndPoint() is null)
        {
            return;
        }

        services.AddSingleton(options);
        services.AddSingleton(provider => new SquidMib(
            provider.GetRequiredService<RequestRecorder>(),
            provider.GetRequiredService<ProxyCounters>(),
            () => store.Statistics,
            provider.GetRequiredService<ProxyOptions>(),
            provider.GetRequiredService<SquidHistory>(),
            () => provider.GetRequiredService<ClientLimits>().Seen.Count,
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new SnmpResponder(options.Community!, provider.GetRequiredService<SquidMib>()));
        services.AddSingleton<SnmpAgent>();
        services.AddHostedService(provider => provider.GetRequiredService<SnmpAgent>());
    }
}

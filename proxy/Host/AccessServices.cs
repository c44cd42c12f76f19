using Breakwater.Proxy.Access;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Host;

/// <summary>Who may ask, how much, and where the proxy may connect to.</summary>
internal static class AccessServices
{
    /// <summary>Adds them.</summary>
    public static void AddAccess(this IServiceCollection services, AccessOptions access, TimeProvider time)
    {
        services.AddSingleton(new ClientAccess(access.EffectiveClients));
        services.AddSingleton(new DestinationAccess(access.Destinations));
        services.AddSingleton(new ConnectAccess(access.Connect));
        services.AddSingleton(new ProxyUsers(access.Users));
        services.AddSingleton(s =>
            new ClientLimits(access.MaxConnectionsPerClient, access.MaxRequestsPerSecondPerClient, time,
            s.GetRequiredService<ConnectionBudget>().Connections));
        services.AddSingleton(new AddressGuard(access.AllowedUpstreams, time));
        services.AddSingleton<IHostNames, SystemHostNames>();
        services.AddSingleton<GuardedConnector>();
        services.AddSingleton<TunnelMiddleware>();
        services.AddSingleton<Drain>();
        services.AddSingleton<Admission>();
        services.AddHostedService<Reloading>();
    }
}

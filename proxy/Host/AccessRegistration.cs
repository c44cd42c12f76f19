using Breakwater.Proxy.Access;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Host;

/// <summary>Registers <c>proxy/Access</c>, which knows no settings: it lies below them.</summary>
internal static class AccessRegistration
{
    /// <summary>Who may ask, and how much.</summary>
    public static void AddAccess(this IServiceCollection services, AccessOptions access, ProxyOptions proxy, TimeProvider time)
    {
        services.AddSingleton(new Balancers(proxy.ProxyProtocol, proxy.ForwardedFor));
        services.AddReload<Balancers>((balancers, changed) => balancers.Replace(changed.Proxy.ProxyProtocol, changed.Proxy.ForwardedFor));
        services.AddSingleton(new ClientAccess(access.EffectiveClients));
        services.AddReload<ClientAccess>((clients, changed) => clients.Replace(changed.Access.EffectiveClients));
        services.AddSingleton(new DestinationAccess(access.Destinations));
        services.AddReload<DestinationAccess>((destinations, changed) => destinations.Replace(changed.Access.Destinations));
        services.AddSingleton(new ConnectAccess(access.Connect));
        services.AddReload<ConnectAccess>((tunnels, changed) => tunnels.Replace(changed.Access.Connect));
        services.AddSingleton(new ProxyUsers(access.Users));
        services.AddReload<ProxyUsers>((users, changed) => users.Replace(changed.Access.Users));
        services.AddSingleton(provider => new ClientLimits(
            access.MaxConnectionsPerClient,
            access.MaxRequestsPerSecondPerClient,
            time,
            provider.GetRequiredService<ConnectionBudget>().Connections));
        services.AddReload<ClientLimits>((limits, changed) =>
            limits.Replace(changed.Access.MaxConnectionsPerClient, changed.Access.MaxRequestsPerSecondPerClient));
        services.AddSingleton<Drain>();
        services.AddSingleton<Admission>();
    }
}

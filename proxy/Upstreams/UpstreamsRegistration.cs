using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Yarp.ReverseProxy.Forwarder;

namespace Breakwater.Proxy.Upstreams;

/// <summary>Registers this room.</summary>
internal static class UpstreamsRegistration
{
    /// <summary>The servers that are asked: YARP's clusters, connections to them, what is known of them.</summary>
    public static void AddUpstreams(this IServiceCollection services, IConfiguration configuration, BreakwaterSettings settings,
        TimeProvider time)
    {
        if (settings.Proxy.Offline)
        {
            // No cluster, so nobody to ask and nobody to probe.
            services.AddReverseProxy().LoadFromMemory([], []);
        }
        else
        {
            services.AddReverseProxy().LoadFromConfig(configuration.GetSection("ReverseProxy"));
        }

        services.AddSingleton<IForwarderHttpClientFactory, BreakwaterHttpClientFactory>();
        services.AddSingleton<ISiteNodes, NoNodes>();
        services.AddSingleton<NodeCounters>();
        services.AddSingleton<Stratum1Directory>();
        services.AddSingleton<Stratum1Outcomes>();
        services.AddSingleton<ClustersInUse>();
        services.AddSingleton<LoopGuard>();
        services.AddSingleton(new ParentProxies(configuration, time));
        services.AddSingleton<IHealthSource>(provider => provider.GetRequiredService<ParentProxies>());
        services.AddReload<ParentProxies>((parents, _) => parents.Replace(configuration));
        services.AddSingleton(new UpstreamTlsFiles(configuration, time));
        services.AddSingleton<IHealthSource>(provider => provider.GetRequiredService<UpstreamTlsFiles>());
        services.AddReload<UpstreamTlsFiles>((files, _) => files.ReadAgain());
        WitnessedProbes.Add(services);
        services.AddSingleton(provider => new RepositoryRoutes(settings.Repositories, provider.GetRequiredService<Stratum1Directory>()));
        services.AddReload<RepositoryRoutes>((routes, changed) => routes.Replace(changed.Repositories));
        services.AddSingleton<UpstreamClient>();
        services.AddSingleton(provider => new UpstreamPace(settings.Upstream, settings.Proxy, time,
            provider.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>()));
        services.AddSingleton<IHealthSource>(provider => provider.GetRequiredService<UpstreamPace>());
        services.AddReload<UpstreamPace>((pace, changed) => pace.Replace(changed.Upstream));
        services.AddSingleton<IHealthSource, UpstreamHealth>();
        services.AddSingleton(new AddressGuard(settings.Access.AllowedUpstreams, time));
        services.AddReload<AddressGuard>((guard, changed) => guard.Replace(changed.Access.AllowedUpstreams));
        services.AddSingleton<IHostNames, SystemHostNames>();
        services.AddSingleton<GuardedConnector>();
        services.AddSingleton<DestinationClients>();

        // After the addresses: connections that were made under the old ones serve no new request.
        services.AddReload<DestinationClients>((clients, _) => clients.Renew());
    }
}

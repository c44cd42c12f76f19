using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Health;

namespace Breakwater.Proxy.Cluster;

/// <summary>Registers this room.</summary>
internal static class ClusterRegistration
{
    /// <summary>The site's nodes as one cache; without <see cref="ClusterOptions.Nodes"/> nothing at all.</summary>
    public static void AddCluster(this IServiceCollection services, ClusterOptions options)
    {
        if (!options.IsOn)
        {
            return;
        }

        services.AddSingleton(options);
        services.AddSingleton<NodeSelf>();
        services.AddSingleton<NodeStrikes>();
        services.AddSingleton<NodeCertificates>();
        services.AddSingleton<NodeRefusals>();
        services.AddSingleton<YarpNodes>(YarpNodes.Make);
        services.AddSingleton<ISiteNodes>(provider => provider.GetRequiredService<YarpNodes>());
        services.AddSingleton<PoolLateness>();
        services.AddSingleton<NodeSync>();
        services.AddSingleton<NodeLearning>();

        // YARP makes its policies before its clusters, on which documents depend.
        services.AddSingleton<Func<NodeSync>>(provider => provider.GetRequiredService<NodeSync>);
        services.AddSingleton<IActiveHealthCheckPolicy, NodeProbes>();
        services.AddSingleton<Func<IActiveHealthCheckMonitor>>(provider => provider.GetRequiredService<IActiveHealthCheckMonitor>);
        services.AddSingleton<NodeRounds>();
        NodeGreeting.Add(services);
        services.AddSingleton<NodeMembers>();
        services.AddSingleton<IProxyConfigProvider>(provider => provider.GetRequiredService<NodeMembers>().Config);
        services.AddHostedService(provider => provider.GetRequiredService<NodeMembers>());
        services.AddSingleton<NodeState>();
        services.AddSingleton<NodeObjects>();
        services.AddSingleton<NodeDocuments>();
        services.AddSingleton<NodeExchanges>();
        services.AddSingleton<NodeAdmin>();
        services.AddSingleton<NodeContent>();
        services.AddSingleton<NodeEndpoint>();
        services.AddSingleton<NodeServer>();
        services.AddHostedService(provider => provider.GetRequiredService<NodeServer>());
        services.AddSingleton<IHealthSource, ClusterHealth>();
        services.AddSingleton<IAdminRoom, ClusterRoom>();
        services.AddSingleton<IAdminRoom, NodeFactsRoom>();
        services.AddSingleton<IAdminRoom, NodesRoom>();
    }
}

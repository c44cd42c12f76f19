using Breakwater.Proxy.Settings;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// What a node's probe tells the node that is probed: who asks, and whether it owns a share. Whoever thinks otherwise probes at once
/// instead of in its turn. It is no more than a reason to look: what is believed is what the answer says.
/// </summary>
/// <param name="usual">Makes the probes.</param>
/// <param name="self">This node.</param>
internal sealed class NodeGreeting(IProbingRequestFactory usual, NodeSelf self) : IProbingRequestFactory
{
    /// <summary>The field that carries it: the process, then whether it is a member.</summary>
    public const string Field = "Breakwater-Probe";

    private const string Member = ";member";

    /// <summary>Puts it before the factory of probes that is registered so far.</summary>
    public static void Add(IServiceCollection services)
    {
        ServiceDescriptor usual = services.Last(service => service.ServiceType == typeof(IProbingRequestFactory));
        services.AddSingleton<IProbingRequestFactory>(provider => new NodeGreeting(
            (IProbingRequestFactory)ActivatorUtilities.CreateInstance(provider, usual.ImplementationType!),
            provider.GetRequiredService<NodeSelf>()));
    }

    /// <summary>Does a probe's greeting say anything else than what is known here?</summary>
    /// <param name="greeting">The field; empty: there is none.</param>
    /// <param name="view">What is known.</param>
    public static bool IsNews(string greeting, NodeView view)
    {
        bool isMember = greeting.EndsWith(Member, StringComparison.Ordinal);
        string instance = isMember ? greeting[..^Member.Length] : greeting;
        KnownNode? known = view.Known.FirstOrDefault(node => node.Announcement?.Instance == instance);
        return greeting.Length > 0 && (known?.Standing) switch
        {
            null => isMember,
            NodeStanding.Alive => !isMember && !known.IsSelf,
            NodeStanding.Leaving or NodeStanding.Dead => isMember && !known.IsSelf,
            _ => false,
        };
    }

    /// <inheritdoc/>
    public HttpRequestMessage CreateRequest(ClusterModel cluster, DestinationModel destination)
    {
        HttpRequestMessage request = usual.CreateRequest(cluster, destination);
        if (cluster.Config.ClusterId == ClusterCheck.ReservedCluster)
        {
            request.Headers.TryAddWithoutValidation(Field, self.Announcement.Instance + (self.IsMember ? Member : ""));
        }

        return request;
    }
}

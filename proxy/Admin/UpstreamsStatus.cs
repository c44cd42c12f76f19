using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Admin;

/// <summary>Of the status: the Stratum 1s, and how fast they may send.</summary>
internal sealed class UpstreamsStatus(IProxyStateLookup clusters, Stratum1Outcomes outcomes, ClustersInUse inUse, UpstreamPace pace)
    : IStatusPart
{
    /// <inheritdoc/>
    public ServerStatus AddTo(ServerStatus status) => status with
    {
        Upstreams =
        [
            .. from cluster in clusters.GetClusters().OrderBy(c => c.ClusterId, StringComparer.Ordinal)
               where cluster.ClusterId != ClusterCheck.ReservedCluster
               from destination in cluster.DestinationsState.AllDestinations.OrderBy(d => d.DestinationId, StringComparer.Ordinal)
               select Of(cluster, destination),
        ],
        UpstreamLimit = pace.BytesPerSecond,
    };

    private UpstreamStatus Of(ClusterState cluster, DestinationState destination) => new(cluster.ClusterId, destination.DestinationId,
        new Uri(destination.Model.Config.Address).Authority, outcomes.StateOf(destination), inUse.Has(cluster));
}

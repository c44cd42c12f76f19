using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Clusters that clients use, and of which no Stratum 1 answers any more. What is only probed (a shipped cluster that a site does not need)
/// is no worry.
/// </summary>
internal sealed class UpstreamHealth(IProxyStateLookup clusters, Stratum1Outcomes outcomes) : IHealthSource
{
    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find() =>
        from cluster in clusters.GetClusters()
        let stratum1s = cluster.DestinationsState.AllDestinations
        where cluster.ClusterId != ClusterCheck.ReservedCluster
        where stratum1s.Count > 0 && stratum1s.All(HasFailed) && stratum1s.Any(outcomes.IsUsed)
        orderby cluster.ClusterId
        select new HealthFinding(
            "upstream-down",
            HealthLevel.Degraded,
            $"No Stratum 1 of cluster {cluster.ClusterId} answers "
            + $"({string.Join(", ", stratum1s.Select(s => new Uri(s.Model.Config.Address).Authority).Order(StringComparer.Ordinal))}): "
            + "what is stored is served, what is not stored fails. 'breakwater doctor' says how each fails.");

    private bool HasFailed(DestinationState stratum1) => outcomes.StateOf(stratum1) is Stratum1State.Failing or Stratum1State.AskedLast;
}

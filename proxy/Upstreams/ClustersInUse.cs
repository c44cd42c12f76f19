using Breakwater.Proxy.Settings;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Which clusters an operator is told of: those that the site's own settings name, and those that a client has asked for. Of presets that a
/// site happens not to use nobody wants to hear that they do not answer. Thread-safe.
/// </summary>
internal sealed class ClustersInUse(Stratum1Outcomes outcomes)
{
    /// <summary>Is it one of them?</summary>
    public bool Has(ClusterState cluster) =>
        cluster.ClusterId != ClusterCheck.ReservedCluster
        && (cluster.Model.Config.Metadata?.ContainsKey(PresetSettings.UnnamedMark) != true
        || cluster.DestinationsState.AllDestinations.Any(outcomes.IsUsed));
}

using Breakwater.Proxy.Settings;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Upstreams;

/// <summary>One allowed repository: its name, and the cluster of its Stratum 1s.</summary>
/// <param name="Fqrn">Fully qualified repository name.</param>
/// <param name="Cluster">Id of the YARP cluster.</param>
/// <param name="Mark">On whose account its objects go in the store (<c>QuotaBytes</c>); 0: nobody's.</param>
internal sealed record RepositoryRoute(Fqrn Fqrn, string Cluster, ushort Mark = 0)
{
    /// <summary>Is it published on this machine, so that nobody else is asked for it?</summary>
    public bool IsPublished => Cluster == RepositoryOptions.PublishedCluster;
}

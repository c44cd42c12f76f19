using System.Diagnostics.CodeAnalysis;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Tests.TestSupport;

/// <summary>All that YARP knows: one cluster, or none yet.</summary>
internal sealed class OneCluster(ClusterState? one) : IProxyStateLookup
{
    public bool TryGetRoute(string id, [NotNullWhen(true)] out RouteModel? route) => (route = null) is not null;

    public IEnumerable<RouteModel> GetRoutes() => [];

    public bool TryGetCluster(string id, [NotNullWhen(true)] out ClusterState? cluster) =>
        (cluster = id == one?.ClusterId ? one : null) is not null;

    public IEnumerable<ClusterState> GetClusters() => one is null ? [] : [one];
}

using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// The parent proxies of clusters, and how each did when it was asked last. Read anew with the settings: YARP does not see that only a
/// password changed, for which a URL is the same URL. Thread-safe; the table is replaced whole.
/// </summary>
internal sealed class ParentProxies : IHealthSource
{
    private readonly TimeProvider _time;
    private volatile Dictionary<string, Parents> _byCluster = [];

    /// <summary>Reads the settings.</summary>
    public ParentProxies(IConfiguration configuration, TimeProvider time)
    {
        _time = time;
        Replace(configuration);
    }

    /// <summary>New settings are in force.</summary>
    public void Replace(IConfiguration configuration)
    {
        var byCluster = new Dictionary<string, Parents>(StringComparer.OrdinalIgnoreCase);
        foreach (IConfigurationSection cluster in ClusterSections.Of(configuration))
        {
            var read = ParentSettings.Read(cluster, []);
            if (read.Proxies.Count > 0)
            {
                byCluster.Add(cluster.Key, new Parents([.. read.Proxies.Select(p => new ParentState(p, _time))], read.Bypass));
            }
        }

        _byCluster = byCluster;
    }

    /// <summary>The first parent of a cluster; null when it has none.</summary>
    public ParentProxy? Of(string cluster) => _byCluster.GetValueOrDefault(cluster)?.States[0].Proxy;

    /// <summary>The parent of a cluster that has this address; null when there is none.</summary>
    public ParentProxy? Of(string cluster, Uri address) =>
        _byCluster.GetValueOrDefault(cluster)?.States.FirstOrDefault(s => s.Proxy.Address == address)?.Proxy;

    /// <summary>Is this server asked directly, though the cluster has parents?</summary>
    public bool IsBypassed(string cluster, Uri server) => _byCluster.GetValueOrDefault(cluster)?.Bypass.Covers(server) ?? false;

    /// <summary>The parents of a cluster as they are to be asked: those that failed of late come last. Empty when it has none.</summary>
    public IReadOnlyList<ParentState> InOrder(string cluster) => _byCluster.GetValueOrDefault(cluster)?.States switch
    {
        null => [],
        { Length: 1 } one => one,
        { } several => [.. several.OrderBy(s => s.IsDoubtful)],
    };

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find() =>
        from cluster in _byCluster
        let isWayLeft = cluster.Value.States.Any(s => s.Failure is null)
        from state in cluster.Value.States
        where state.Failure is not null
        group cluster.Key by (state.Failure, IsWayLeft: isWayLeft) into clusters
        orderby clusters.Key.Failure
        select new HealthFinding(
            "parent-proxy", HealthLevel.Degraded,
            $"Cluster {string.Join(", ", clusters.Order(StringComparer.Ordinal))}: {clusters.Key.Failure}. " + (clusters.Key.IsWayLeft
                ? "The next parent proxy is asked in its place."
                : "What is stored is served, what is not stored fails; no Stratum 1 is to blame."));

    private sealed record Parents(ParentState[] States, ParentBypass Bypass);
}

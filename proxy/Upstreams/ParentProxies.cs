using System.Collections.Concurrent;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// The parent proxies of clusters, and how each did when it was asked last. Read anew with the settings: YARP does not see that only a
/// password changed, for which a URL is the same URL. Thread-safe; the table is replaced whole.
/// </summary>
internal sealed class ParentProxies : IHealthSource
{
    private readonly ConcurrentDictionary<string, string> _failures = new(StringComparer.OrdinalIgnoreCase);   // by cluster
    private volatile Dictionary<string, ParentProxy> _byCluster = [];

    /// <summary>Reads the settings.</summary>
    public ParentProxies(IConfiguration configuration) => Replace(configuration);

    /// <summary>New settings are in force.</summary>
    public void Replace(IConfiguration configuration)
    {
        var parents = new Dictionary<string, ParentProxy>(StringComparer.OrdinalIgnoreCase);
        foreach (IConfigurationSection cluster in ClusterSections.Of(configuration))
        {
            if (ParentProxy.TryParse(ClusterSections.Parent(cluster), out ParentProxy? parent, out _))
            {
                parents.Add(cluster.Key, parent);
            }
        }

        _byCluster = parents;
        foreach (string cluster in _failures.Keys.Where(c => !parents.ContainsKey(c)))
        {
            _failures.TryRemove(cluster, out _);
        }
    }

    /// <summary>The parent of a cluster; null when it has none.</summary>
    public ParentProxy? Of(string cluster) => _byCluster.GetValueOrDefault(cluster);

    /// <summary>It did what it is there for.</summary>
    public void NoteAnswer(string cluster)
    {
        if (!_failures.IsEmpty)
        {
            _failures.TryRemove(cluster, out _);
        }
    }

    /// <summary>It did not.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="what">What is said to people: names it, shows no password.</param>
    public void NoteFailure(string cluster, string what) => _failures[cluster] = what;

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find() =>
        from failure in _failures
        group failure.Key by failure.Value into clusters
        orderby clusters.Key
        select new HealthFinding(
            "parent-proxy", HealthLevel.Degraded,
            $"Cluster {string.Join(", ", clusters.Order(StringComparer.Ordinal))}: {clusters.Key}. What is stored is served, what is not "
            + $"stored fails; no Stratum 1 is to blame.");
}

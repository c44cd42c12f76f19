using Breakwater.Proxy.Outcomes;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Chooses Stratum 1s from YARP's clusters: healthy ones before the others, the one that the client named first, then by the name of the
/// destination in the settings. Reports failures to YARP's passive health. Thread-safe.
/// </summary>
internal sealed class Stratum1Directory(IProxyStateLookup clusters, IDestinationHealthUpdater health, Stratum1Outcomes outcomes,
    ISiteNodes nodes)
{
    /// <summary>Failures in a row after which a Stratum 1 goes to the end of the line. One or two are bad luck.</summary>
    private const int FailuresUntilUnhealthy = 3;

    private static readonly TimeSpan s_defaultReactivation = TimeSpan.FromSeconds(30);

    /// <summary>The Stratum 1s of a cluster in the order in which they are to be tried; empty when the cluster is gone.</summary>
    /// <param name="clusterId">Id of the YARP cluster.</param>
    /// <param name="hint">Host, with or without port, that the client asked for; null when none. An unknown host is ignored.</param>
    public IReadOnlyList<Stratum1> Order(string clusterId, string? hint)
    {
        if (!clusters.TryGetCluster(clusterId, out ClusterState? cluster) || cluster.Model.HttpClient is not { } client)
        {
            return [];
        }

        IReadOnlyList<DestinationState> available = cluster.DestinationsState.AvailableDestinations;
        return [.. cluster.DestinationsState.AllDestinations
            .Select(d => new Stratum1(cluster, d, client))
            .OrderBy(s => available.Contains(s.Destination) && s.Destination.Health.Passive != DestinationHealth.Unhealthy ? 0 : 1)
            .ThenBy(s => hint is null ? 0 : Distance(s, hint))
            .ThenBy(s => s.Destination.DestinationId, StringComparer.Ordinal)];
    }

    /// <summary>How well does the cluster have what the client named? 0: that very host and port; 1: the host; 2: not at all.</summary>
    public int Distance(string clusterId, string hint) => Order(clusterId, null).Select(s => Distance(s, hint)).DefaultIfEmpty(2).Min();

    /// <summary>Is this the very server that the client named, by host and port?</summary>
    public static bool IsOrigin(Stratum1 upstream, string? hint) =>
        hint is not null
        && (hint.Equals(upstream.Authority, StringComparison.OrdinalIgnoreCase)
        || hint.Equals(upstream.Authority + ":80", StringComparison.OrdinalIgnoreCase));

    /// <summary>A Stratum 1 answered as it should.</summary>
    public void ReportSuccess(Stratum1 upstream)
    {
        outcomes.NoteAnswer(upstream.Destination);
        if (upstream.IsNode)
        {
            nodes.NoteAnswer(upstream);
        }
    }

    /// <summary>
    /// A Stratum 1 failed. 404s and other 4xx are no failure of the server, since what was asked for is the client's choice, and what its
    /// parent proxy fails is none of its own.
    /// </summary>
    public void ReportFailure(Stratum1 upstream, FailureKind kind)
    {
        if (upstream.IsNode)
        {
            nodes.NoteFailure(upstream, kind);
            return;
        }

        if (kind == FailureKind.Parent)
        {
            return;
        }

        if (kind is FailureKind.NotFound or FailureKind.Refused)
        {
            outcomes.NoteNotFound(upstream.Destination);
            return;
        }

        // YARP's default is off; ours is on, for clusters that name their Stratum 1s and nothing else.
        PassiveHealthCheckConfig? passive = upstream.Cluster.Model.Config.HealthCheck?.Passive;
        if (outcomes.NoteFailure(upstream.Destination) < FailuresUntilUnhealthy || passive?.Enabled == false)
        {
            return;
        }

        outcomes.NoteGivenUp(upstream.Destination);
        TimeSpan reactivation = passive?.ReactivationPeriod ?? s_defaultReactivation;
        health.SetPassive(upstream.Cluster, upstream.Destination, DestinationHealth.Unhealthy, reactivation);
    }

    /// <summary>Several Stratum 1s may share a host, at ports of their own: the one with the client's port is nearest.</summary>
    private static int Distance(Stratum1 upstream, string hint)
    {
        (string host, string port) = Split(hint);
        (string ownHost, string ownPort) = Split(upstream.Authority);
        return !host.Equals(ownHost, StringComparison.OrdinalIgnoreCase) ? 2 : port == ownPort ? 0 : 1;
    }

    /// <summary>Clients name <c>http://</c> URLs only.</summary>
    private static (string Host, string Port) Split(string authority)
    {
        int colon = authority.LastIndexOf(':');
        return colon > 0 && authority[^1] != ']' ? (authority[..colon], authority[(colon + 1)..]) : (authority, "80");
    }
}

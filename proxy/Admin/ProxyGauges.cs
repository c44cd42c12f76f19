using System.Diagnostics.Metrics;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Upstreams;
using Yarp.ReverseProxy;

namespace Breakwater.Proxy.Admin;

/// <summary>What is measured when somebody looks: fetches, queue, Stratum 1s, health.</summary>
internal sealed class ProxyGauges
{
    public ProxyGauges(IMeterFactory meters, FetchCoordinator fetches, FetchQueue queue, IProxyStateLookup clusters, Health health,
        RequestRecorder recorder, BootBoard boots, ClustersInUse inUse)
    {
        Meter meter = meters.Create(ProxyCounters.MeterName);
        meter.CreateObservableGauge("breakwater.fetches", () => fetches.InFlight.Count, "{fetch}", "Objects being fetched.");
        meter.CreateObservableGauge("breakwater.fetch.followers", () => fetches.InFlight.Sum(f => (long)f.Followers), "{request}",
            "Requests that wait for, or read from, the fetches under way.");
        meter.CreateObservableGauge("breakwater.fetch.waiting", () => queue.Load.Waiting, "{fetch}",
            "Fetches in line for a place (Proxy:MaxConcurrentFetches).");
        meter.CreateObservableGauge("breakwater.upstream.healthy", () => Healths(clusters, inUse), "1",
            "1: the Stratum 1 answers; 0: it is asked last. By cluster and upstream, of clusters that are in use or "
                + "named by the settings.");
        meter.CreateObservableGauge("breakwater.health", () => (int)health.Check().Status, "1",
            "0 ready, 1 degraded, 2 unready; the reasons are at /healthz/ready.");
        meter.CreateObservableGauge("breakwater.build_info",
            () => new Measurement<int>(1, new KeyValuePair<string, object?>("version", Telemetry.Version)), null,
            "Always 1; the version is in the label.");
        meter.CreateObservableGauge("breakwater.boots", () => Boots(boots.Now.Newest), "{boot}",
            "Boots of the storm in progress, or of the last one, by state.");
        meter.CreateObservableGauge("breakwater.hit_ratio", () => recorder.HitRatio().OfRequests is { } ratio
            ? [new Measurement<double>(ratio)]
            : Array.Empty<Measurement<double>>(), "1",
            "Share of requests for repositories' content served without a fetch of their own, since the start.");
    }

    private static Measurement<int>[] Boots(StormView storm) =>
    [
        new(storm.Booting, new KeyValuePair<string, object?>("state", "booting")),
        new(storm.Done, new KeyValuePair<string, object?>("state", "done")),
        new(storm.Stopped, new KeyValuePair<string, object?>("state", "stopped")),
    ];

    private static IEnumerable<Measurement<int>> Healths(IProxyStateLookup clusters, ClustersInUse inUse) =>
        from cluster in clusters.GetClusters()
        where inUse.Has(cluster)
        from destination in cluster.DestinationsState.AllDestinations
        select new Measurement<int>(
            Stratum1Outcomes.IsUp(destination) ? 1 : 0,
            new("cluster", cluster.ClusterId),
            new("upstream", new Uri(destination.Model.Config.Address).Authority));
}

using Breakwater.CacheStore.Quotas;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Holdings;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Yarp.ReverseProxy;

namespace Breakwater.Proxy.Admin;

/// <summary>Status on the admin port.</summary>
internal sealed class StatusRoom(
    BreakwaterSettings settings,
    Health health,
    RequestRecorder recorder,
    ProxyCounters counters,
    FetchCoordinator fetches,
    FetchQueue queue,
    IProxyStateLookup clusters,
    Stratum1Outcomes outcomes,
    ClustersInUse inUse,
    BootBoard boots,
    SeedStart seeds,
    Declarations declarations,
    ISiteNodes nodes,
    SignedDocuments documents,
    UpstreamPace pace,
    StoreShares shares,
    TimeProvider time) : IAdminRoom
{
    private readonly long _startedAt = time.GetTimestamp();
    private AdminApi? _api;

    /// <inheritdoc/>
    public void Map(AdminApi admin)
    {
        _api = admin;
        admin.Read("status", "What the proxy does right now, and what can be read and done.", Status);
    }

    private ServerStatus Status()
    {
        ResultStatus[] results =
            [.. Enum.GetValues<RequestResult>().Select(r => (r, t: recorder.TotalOf(r)))
            .Select(x => new ResultStatus(RequestRecorder.NameOf(x.r), x.t.Requests, x.t.Bytes))];
        long sent = results.Sum(r => r.Bytes);
        (double? hitRatio, double? byteHitRatio) = recorder.HitRatio();
        IReadOnlyCollection<InFlightFetch> inFlight = fetches.InFlight;
        long disk = recorder.DiskHitBytes;
        BootSnapshot board = boots.Now;
        return new ServerStatus(
            Telemetry.Version,
            time.GetUtcNow(),
            time.GetElapsedTime(_startedAt).TotalSeconds,
            health.Check(),
            hitRatio,
            byteHitRatio,
            results.Sum(r => r.Requests),
            sent,
            Math.Max(0, sent - counters.UpstreamBytesTotal),
            counters.UpstreamBytesTotal,
            results,
            recorder.TotalOf(RequestResult.Hit).Bytes - disk,
            disk,
            inFlight.Count,
            inFlight.Sum(f => f.Followers),
            queue.Load.Waiting,
            board.Newest,
            [.. clusters.GetClusters().Where(c => c.ClusterId != ClusterCheck.ReservedCluster)
                .OrderBy(c => c.ClusterId, StringComparer.Ordinal).SelectMany(c => c.DestinationsState.AllDestinations
                .OrderBy(d => d.DestinationId, StringComparer.Ordinal)
                .Select(d =>
                new UpstreamStatus(c.ClusterId, d.DestinationId, new Uri(d.Model.Config.Address).Authority, outcomes.StateOf(d),
                inUse.Has(c))))],
            settings.Store.Path!,
            FreeBytes(settings.Store.Path!),
            Environment.WorkingSet,
            [.. seeds.Statements()],
            [.. documents.Repositories.Where(r => r.Pair is { IsVerified: false }).Select(r => r.Repository.Fqrn)
            .Order(StringComparer.Ordinal)],
            _api!.Reads,
            _api.Actions)
        {
            BootsVersion = board.Version,
            Declared = declarations.All,
            Nodes = nodes.Summary,
            UpstreamLimit = pace.BytesPerSecond,
            Shares = shares.List(),
        };
    }

    private static long FreeBytes(string path)
    {
        try
        {
            return new DriveInfo(Path.GetFullPath(path)).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return -1;
        }
    }
}

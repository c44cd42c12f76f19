using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Holdings;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Observability.AccessLogs;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Yarp.ReverseProxy;

namespace Breakwater.Proxy.Admin;

/// <summary>Status and boot timelines on the admin port.</summary>
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
    BootTimelines boots,
    SeedStart seeds,
    Declarations declarations,
    SignedDocuments documents,
    IEnumerable<IObjectPaths> paths,
    TimeProvider time) : IAdminRoom
{
    private readonly long _startedAt = time.GetTimestamp();
    private AdminApi? _api;

    /// <inheritdoc/>
    public void Map(AdminApi admin)
    {
        _api = admin;
        admin.Read("status", Status);
        admin.Read("boots", (int? limit) => boots.List(Math.Clamp(limit ?? 200, 1, BootTimelines.MaxBoots)));
        admin.Read("boots/{id:int}", (int id) => boots.Find(id) is { } found
            ? Results.Json(new BootDetails(found.Boot, [.. found.Requests.Select(r => ToView(found.Boot.Repository, r))]), AdminServer.Json)
            : new AdminProblem($"Boot {id} is not known any more.",
            "Boots are kept in memory, the newest 12,000.").Result(StatusCodes.Status404NotFound));
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
            boots.Storm(),
            [.. clusters.GetClusters().OrderBy(c => c.ClusterId, StringComparer.Ordinal).SelectMany(c => c.DestinationsState.AllDestinations
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
        { Declared = declarations.All };
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

    private BootRequestView ToView(string? fqrn, BootRequest request)
    {
        string? path = request.Target;
        if (path is null && request.HasKey && fqrn is not null)
        {
            ObjectKey key = request.Key;
            path = paths.Select(p => p.Find(fqrn, key)).FirstOrDefault(p => p is not null) ?? key.ToPath();
        }

        return new BootRequestView(request.StartMs, request.DurationMs, request.Source, RequestRecorder.NameOf(request.Result),
            request.Bytes, path ?? "-");
    }
}

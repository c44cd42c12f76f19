using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Admin;

/// <summary>Of the status: what was answered, and what is being fetched.</summary>
internal sealed class TrafficStatus(RequestRecorder recorder, ProxyCounters counters, FetchCoordinator fetches, FetchQueue queue)
    : IStatusPart
{
    /// <inheritdoc/>
    public ServerStatus AddTo(ServerStatus status)
    {
        ResultStatus[] results =
            [.. Enum.GetValues<RequestResult>().Select(r => (r, t: recorder.TotalOf(r)))
            .Select(x => new ResultStatus(RequestRecorder.NameOf(x.r), x.t.Requests, x.t.Bytes))];
        long sent = results.Sum(r => r.Bytes);
        (double? hitRatio, double? byteHitRatio) = recorder.HitRatio();
        IReadOnlyCollection<InFlightFetch> inFlight = fetches.InFlight;
        long disk = recorder.DiskHitBytes;
        return status with
        {
            HitRatio = hitRatio,
            ByteHitRatio = byteHitRatio,
            Requests = results.Sum(r => r.Requests),
            BytesSent = sent,
            BytesSaved = Math.Max(0, recorder.TotalOf(static r => r.IsContent).Bytes - counters.UpstreamBytesTotal),
            UpstreamBytes = counters.UpstreamBytesTotal,
            Results = results,
            MemoryBytes = recorder.TotalOf(RequestResult.Hit).Bytes - disk,
            DiskBytes = disk,
            Fetches = inFlight.Count,
            FetchFollowers = inFlight.Sum(f => f.Followers),
            FetchesWaiting = queue.Load.Waiting,
        };
    }
}

using System.Diagnostics.Metrics;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Observability;

/// <summary>What the proxy counts; meter <c>Breakwater.Proxy</c>.</summary>
internal sealed class ProxyCounters : IDisposable
{
    public const string MeterName = "Breakwater.Proxy";

    private readonly Meter _meter;
    private long _hitPathAnswers;
    private readonly Counter<long> _upstreamRequests;
    private readonly Counter<long> _upstreamFailures;
    private long _upstreamBytes;
    private long _upstreamRequestsTotal;
    private long _upstreamFailuresTotal;

    public ProxyCounters(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _upstreamRequests =
            _meter.CreateCounter<long>("breakwater.upstream.requests", "{request}", "Requests sent to Stratum 1s, by upstream.");
        _upstreamFailures =
            _meter.CreateCounter<long>("breakwater.upstream.failures", "{failure}",
            "Answers of Stratum 1s that were no use, by upstream and kind.");
        _meter.CreateObservableCounter("breakwater.hit_path.answers", () => HitPathAnswers, "{request}",
            "Hits answered below HttpContext.");
        UpstreamObjectRequests =
            _meter.CreateCounter<long>("breakwater.upstream.object_requests", "{request}",
            "Object bodies asked of Stratum 1s that answered with a good head.");
        _meter.CreateObservableCounter("breakwater.upstream.received", () => UpstreamBytesTotal, "By",
            "Body bytes received from Stratum 1s.");
        WrongBodies =
            _meter.CreateCounter<long>("breakwater.upstream.wrong_bodies", "{body}",
            "Bodies from Stratum 1s whose digest was not the object's name.");
        RefusedDocuments =
            _meter.CreateCounter<long>("breakwater.documents.refused", "{document}",
            "Manifests and whitelists from Stratum 1s that were refused, by reason.");
    }

    public Counter<long> UpstreamObjectRequests { get; }

    /// <summary>Body bytes received from Stratum 1s since the start.</summary>
    public long UpstreamBytesTotal => Interlocked.Read(ref _upstreamBytes);

    /// <summary>Requests sent to Stratum 1s since the start.</summary>
    public long UpstreamRequestsTotal => Interlocked.Read(ref _upstreamRequestsTotal);

    /// <summary>Answers of Stratum 1s that were no use, since the start; a 404 is not among them.</summary>
    public long UpstreamFailuresTotal => Interlocked.Read(ref _upstreamFailuresTotal);

    public Counter<long> WrongBodies { get; }

    /// <summary>Hits answered below HttpContext.</summary>
    public long HitPathAnswers => Volatile.Read(ref _hitPathAnswers);

    public void CountHitPathAnswer() => Interlocked.Increment(ref _hitPathAnswers);

    /// <summary>Body bytes came from a Stratum 1.</summary>
    public void AddUpstreamBytes(long bytes) => Interlocked.Add(ref _upstreamBytes, bytes);

    /// <summary>A request went to a Stratum 1.</summary>
    /// <param name="upstream">Its host and port.</param>
    public void CountUpstreamRequest(string upstream)
    {
        Interlocked.Increment(ref _upstreamRequestsTotal);
        _upstreamRequests.Add(1, new KeyValuePair<string, object?>("upstream", upstream));
    }

    /// <summary>A Stratum 1's answer was no use.</summary>
    /// <param name="upstream">Its host and port.</param>
    /// <param name="kind">How.</param>
    public void CountUpstreamFailure(string upstream, FailureKind kind)
    {
        if (kind != FailureKind.NotFound)
        {
            Interlocked.Increment(ref _upstreamFailuresTotal);
        }

        _upstreamFailures.Add(1, new("upstream", upstream), new("kind", kind.ToString().ToLowerInvariant()));
    }

    public Counter<long> RefusedDocuments { get; }

    public void Dispose() => _meter.Dispose();
}

using System.Diagnostics.Metrics;

namespace Breakwater.Proxy.Observability;

/// <summary>What the proxy counts; meter <c>Breakwater.Proxy</c>.</summary>
internal sealed class ProxyCounters : IDisposable
{
    public const string MeterName = "Breakwater.Proxy";

    private readonly Meter _meter;
    private long _hitPathAnswers;
    private long _upstreamBytes;

    public ProxyCounters(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        UpstreamRequests = _meter.CreateCounter<long>("breakwater.upstream.requests", "{request}", "Requests sent to Stratum 1s, by upstream.");
        UpstreamFailures = _meter.CreateCounter<long>("breakwater.upstream.failures", "{failure}", "Answers of Stratum 1s that were no use, by upstream and kind.");
        _meter.CreateObservableCounter("breakwater.hit_path.answers", () => HitPathAnswers, "{request}", "Hits answered below HttpContext.");
        UpstreamObjectRequests = _meter.CreateCounter<long>("breakwater.upstream.object_requests", "{request}", "Object bodies asked of Stratum 1s that answered with a good head.");
        _meter.CreateObservableCounter("breakwater.upstream.received", () => UpstreamBytesTotal, "By", "Body bytes received from Stratum 1s.");
        WrongBodies = _meter.CreateCounter<long>("breakwater.upstream.wrong_bodies", "{body}", "Bodies from Stratum 1s whose digest was not the object's name.");
        RefusedDocuments = _meter.CreateCounter<long>("breakwater.documents.refused", "{document}", "Manifests and whitelists from Stratum 1s that were refused, by reason.");
    }

    public Counter<long> UpstreamRequests { get; }

    public Counter<long> UpstreamFailures { get; }

    public Counter<long> UpstreamObjectRequests { get; }

    /// <summary>Body bytes received from Stratum 1s since the start.</summary>
    public long UpstreamBytesTotal => Interlocked.Read(ref _upstreamBytes);

    public Counter<long> WrongBodies { get; }

    /// <summary>Hits answered below HttpContext.</summary>
    public long HitPathAnswers => Volatile.Read(ref _hitPathAnswers);

    public void CountHitPathAnswer() => Interlocked.Increment(ref _hitPathAnswers);

    /// <summary>Body bytes came from a Stratum 1.</summary>
    public void AddUpstreamBytes(long bytes) => Interlocked.Add(ref _upstreamBytes, bytes);

    public Counter<long> RefusedDocuments { get; }

    public void Dispose() => _meter.Dispose();
}

using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Observability.Squid;

/// <summary>
/// What squid counts, noted once a minute for an hour: squid's tools ask for the share of hits in the last 5 and 60 minutes. Thread-safe.
/// </summary>
internal sealed class SquidHistory : IHostedService, IDisposable
{
    /// <summary>The longest span that is asked for, and the moment at its begin.</summary>
    private const int MaxSamples = 61;

    private readonly RequestRecorder _recorder;
    private readonly ProxyCounters _counters;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Queue<SquidSample> _samples = new();   // guarded by _gate; oldest first
    private ITimer? _timer;

    public SquidHistory(RequestRecorder recorder, ProxyCounters counters, TimeProvider time)
    {
        (_recorder, _counters, _time) = (recorder, counters, time);
        StartedAt = time.GetTimestamp();
        Note();
    }

    /// <summary>Timestamp of the start.</summary>
    public long StartedAt { get; }

    /// <summary>As it stands now.</summary>
    public SquidSample Now()
    {
        (long requests, long sent) = _recorder.TotalOf(static _ => true);
        (long hits, long hitBytes) = _recorder.TotalOf(static r => r.IsHit);
        return new SquidSample(_time.GetTimestamp(), requests, hits, _recorder.TotalOf(RequestResult.Failed).Requests, sent, hitBytes,
            _recorder.DiskHitBytes, _counters.UpstreamRequestsTotal, _counters.UpstreamFailuresTotal, _counters.UpstreamBytesTotal,
            Environment.CpuUsage.TotalTime, _recorder.TimesTaken());
    }

    /// <summary>As it stood so long ago, or at the start when that is not so long ago.</summary>
    public SquidSample Before(TimeSpan age)
    {
        lock (_gate)
        {
            return _samples.LastOrDefault(s => _time.GetElapsedTime(s.At) >= age) ?? _samples.Peek();
        }
    }

    /// <summary>Share of hits within the last so many minutes, by requests and by bytes, in percent; 0 when there was nothing.</summary>
    public (double OfRequests, double OfBytes) HitPercent(int minutes)
    {
        SquidSample now = Now();
        SquidSample then = Before(TimeSpan.FromMinutes(minutes));
        return (Percent(now.Hits - then.Hits, now.Requests - then.Requests),
            Percent(now.HitBytes - then.HitBytes, now.SentBytes - then.SentBytes));
    }

    /// <summary>The time that this share of the requests of the last minutes took at most; see <see cref="ServiceTimes"/>.</summary>
    public TimeSpan ServiceTime(int minutes, ServiceKind? kind, double share = 0.5) =>
        ServiceTimes.Percentile(_recorder.TimesTaken(), Before(TimeSpan.FromMinutes(minutes)).Times, kind, share);

    /// <summary>A part of a whole in percent; 0 of nothing.</summary>
    public static double Percent(double part, double whole) => whole <= 0 ? 0 : 100 * part / whole;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer = _time.CreateTimer(_ => Note(), null, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    private void Note()
    {
        SquidSample sample = Now();
        lock (_gate)
        {
            if (_samples.Count == MaxSamples)
            {
                _samples.Dequeue();
            }

            _samples.Enqueue(sample);
        }
    }
}

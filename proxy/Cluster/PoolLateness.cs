namespace Breakwater.Proxy.Cluster;

/// <summary>
/// Is this process itself late? Then a probe that failed says nothing of the other node: a flooded thread pool once made all nodes lose
/// each other. Thread-safe.
/// </summary>
internal sealed class PoolLateness : IDisposable
{
    /// <summary>Later than this, a probe's failure does not count.</summary>
    private static readonly TimeSpan s_late = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(250);

    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private long _tickedAt;
    private long _lateAt;       // timestamp of the last tick that was late; 0: none was

    public PoolLateness(TimeProvider time)
    {
        _time = time;
        _tickedAt = time.GetTimestamp();
        _timer = time.CreateTimer(static state => ((PoolLateness)state!).Tick(), this, s_period, s_period);
    }

    /// <summary>Was it late within this time, or is it now?</summary>
    public bool WasLate(TimeSpan within)
    {
        long lateAt = Volatile.Read(ref _lateAt);
        return _time.GetElapsedTime(Volatile.Read(ref _tickedAt)) > s_period + s_late
            || (lateAt != 0 && _time.GetElapsedTime(lateAt) < within);
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Tick()
    {
        long now = _time.GetTimestamp();
        if (_time.GetElapsedTime(Interlocked.Exchange(ref _tickedAt, now), now) > s_period + s_late)
        {
            Volatile.Write(ref _lateAt, now);
        }
    }
}

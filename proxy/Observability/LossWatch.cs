namespace Breakwater.Proxy.Observability;

/// <summary>
/// Watches a counter of what was lost: tells it now and then, not each time, and whether that was lately. One caller of <see cref="Look"/>
/// at a time.
/// </summary>
internal sealed class LossWatch(TimeProvider time)
{
    private static readonly TimeSpan s_between = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_lately = TimeSpan.FromMinutes(2);

    private long _seen;
    private long _told;
    private long? _toldAt;
    private long _lostAt = -1;

    /// <summary>Was something lost in the last two minutes? Thread-safe.</summary>
    public bool IsRecent => Volatile.Read(ref _lostAt) is >= 0 and var at && time.GetElapsedTime(at) < s_lately;

    /// <summary>Looks at the counter; how much is to be told now, or null.</summary>
    public long? Look(long lost)
    {
        if (lost == _told)
        {
            return null;
        }

        long now = time.GetTimestamp();
        if (lost != _seen)
        {
            _seen = lost;
            Volatile.Write(ref _lostAt, now);
        }

        if (_toldAt is { } toldAt && time.GetElapsedTime(toldAt, now) < s_between)
        {
            return null;
        }

        long news = lost - _told;
        (_told, _toldAt) = (lost, now);
        return news;
    }
}

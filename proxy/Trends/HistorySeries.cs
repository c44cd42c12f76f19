namespace Breakwater.Proxy.Trends;

/// <summary>The newest points of one interval each, in order; intervals without the process are missing. Not thread-safe.</summary>
/// <param name="interval">Of a point.</param>
/// <param name="most">Points kept.</param>
internal sealed class HistorySeries(TimeSpan interval, int most)
{
    private readonly List<HistoryPoint> _points = [];

    /// <summary>Seconds of a point.</summary>
    public int Seconds { get; } = (int)interval.TotalSeconds;

    /// <summary>A copy of the points, the oldest first.</summary>
    public HistoryPoint[] Points => [.. _points];

    /// <summary>
    /// Adds what happened just now. A clock that was set back by more than an interval makes what lies in the future go; what is older than
    /// the series is long goes, too.
    /// </summary>
    public void Add(in HistoryPoint happened)
    {
        long at = happened.At - (happened.At % Seconds);
        while (_points.Count > 0 && _points[^1].At > at + Seconds)
        {
            _points.RemoveAt(_points.Count - 1);
        }

        if (_points.Count > 0 && _points[^1].At >= at)
        {
            _points[^1] = _points[^1].And(happened);
        }
        else
        {
            _points.Add(happened with { At = at });
        }

        long oldest = _points[^1].At - ((long)Seconds * (most - 1));
        _points.RemoveAll(point => point.At < oldest);
    }

    /// <summary>Takes what an earlier process left; what cannot be is left out.</summary>
    public void Restore(IEnumerable<HistoryPoint> points, long now)
    {
        foreach (HistoryPoint point in points.Where(point => point.At >= 0 && point.At <= now && point.At % Seconds == 0)
            .OrderBy(point => point.At))
        {
            Add(point.Since(default));
        }
    }
}

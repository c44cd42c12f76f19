namespace Breakwater.Proxy.Trends;

/// <summary>Points of the history as the admin API gives them, a column each; the oldest first.</summary>
/// <param name="IntervalSeconds">Seconds that a point stands for.</param>
/// <param name="At">Begins of the intervals, in seconds since 1970.</param>
/// <param name="Requests">Requests that ended.</param>
/// <param name="Hits">Of those asked of the cache, answered without asking another server.</param>
/// <param name="Misses">Of those asked of the cache, all others.</param>
/// <param name="Refused">Refused by access rules or grammar.</param>
/// <param name="SentBytes">Body bytes to clients.</param>
/// <param name="UpstreamBytes">Body bytes from Stratum 1s.</param>
internal sealed record HistoryColumns(int IntervalSeconds, long[] At, long[] Requests, long[] Hits, long[] Misses, long[] Refused,
    long[] SentBytes, long[] UpstreamBytes)
{
    /// <summary>Turns points into columns.</summary>
    public static HistoryColumns Of(int seconds, HistoryPoint[] points) => new(
        seconds,
        [.. points.Select(point => point.At)],
        [.. points.Select(point => point.Requests)],
        [.. points.Select(point => point.Hits)],
        [.. points.Select(point => point.Misses)],
        [.. points.Select(point => point.Refused)],
        [.. points.Select(point => point.SentBytes)],
        [.. points.Select(point => point.UpstreamBytes)]);

    /// <summary>The points again; none when the columns are not equally long.</summary>
    public HistoryPoint[] Points()
    {
        long[][] columns = [At, Requests, Hits, Misses, Refused, SentBytes, UpstreamBytes];
        return columns.Any(column => column is null || column.Length != At.Length)
            ? []
            : [.. At.Select((at, i) => new HistoryPoint(at, Requests[i], Hits[i], Misses[i], Refused[i], SentBytes[i], UpstreamBytes[i]))];
    }
}

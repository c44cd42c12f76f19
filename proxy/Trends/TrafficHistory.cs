using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Trends;

/// <summary>
/// Traffic of a day by minutes and of 30 days by hours, and the storms of 30 days. Kept in <c>history.json</c> in the store's directory,
/// written once a minute and at the end, so that a restart loses a minute at most. Thread-safe.
/// </summary>
internal sealed partial class TrafficHistory(BreakwaterSettings settings, RequestRecorder recorder, ProxyCounters counters, BootBoard boots,
    TimeProvider time, ILogger<TrafficHistory> log) : IHostedService, IDisposable
{
    /// <summary>Storms kept: one an hour, and a few more.</summary>
    public const int MaxStorms = 1000;

    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_length = TimeSpan.FromDays(30);

    private readonly string _path = Path.Combine(settings.Store.Path!, "history.json");
    private readonly Lock _gate = new();
    private readonly HistorySeries _minutes = new(s_minute, 24 * 60);                   // guarded by _gate, as the three below
    private readonly HistorySeries _hours = new(TimeSpan.FromHours(1), 30 * 24);
    private readonly SortedDictionary<DateTimeOffset, StormView> _storms = [];          // by their begin
    private HistoryPoint _last;
    private bool _isWriting;            // who sets it writes
    private bool _isTroubled;           // of who writes
    private ITimer? _timer;

    /// <summary>The last day by minutes.</summary>
    public HistoryColumns Day => Columns(_minutes);

    /// <summary>The last 30 days by hours.</summary>
    public HistoryColumns Month => Columns(_hours);

    /// <summary>Storms of the last 30 days, the newest first; those whose boots are not kept any more have no number.</summary>
    public IReadOnlyList<StormView> Storms(int most)
    {
        IReadOnlyList<StormView> now = boots.Now.Storms;
        HashSet<DateTimeOffset?> known = [.. now.Select(storm => storm.StartedAt)];
        lock (_gate)
        {
            return [.. now.Concat(_storms.Values.Where(storm => !known.Contains(storm.StartedAt)))
                .OrderByDescending(storm => storm.StartedAt).Take(most)];
        }
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            HistoryFile kept = HistoryFile.Read(_path);
            DateTimeOffset now = time.GetUtcNow();
            lock (_gate)
            {
                _minutes.Restore(kept.Minutes?.Points() ?? [], now.ToUnixTimeSeconds());
                _hours.Restore(kept.Hours?.Points() ?? [], now.ToUnixTimeSeconds());
                foreach (StormView storm in (kept.Storms ?? []).OfType<StormView>())
                {
                    KeepLocked(storm, now);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogUnread(log, e.Message);
        }

        _timer = time.CreateTimer(_ => Note(), null, s_minute, s_minute);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        Note();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    /// <summary>
    /// Takes note of what happened since the last time, and writes it down, unless a disk still holds up the writing before.
    /// </summary>
    private void Note()
    {
        HistoryFile file;
        lock (_gate)
        {
            file = NoteLocked();
        }

        if (Interlocked.Exchange(ref _isWriting, true))
        {
            return;
        }

        try
        {
            file.Write(_path);
            _isTroubled = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_isTroubled)
            {
                LogUnwritten(log, e.Message);
            }

            _isTroubled = true;
        }
        finally
        {
            Volatile.Write(ref _isWriting, false);
        }
    }

    private HistoryFile NoteLocked()
    {
        DateTimeOffset now = time.GetUtcNow();
        (long requests, long sent) = recorder.TotalOf(static _ => true);
        var sum = new HistoryPoint(
            now.ToUnixTimeSeconds(),
            requests,
            recorder.TotalOf(static result => result.IsHit).Requests,
            recorder.TotalOf(static result => result.WasAskedFor).Requests,
            recorder.TotalOf(RequestResult.Refused).Requests,
            sent,
            counters.UpstreamBytesTotal);
        HistoryPoint happened = sum.Since(_last);
        _last = sum;
        _minutes.Add(happened);
        _hours.Add(happened);
        foreach (StormView storm in boots.Now.Storms)
        {
            KeepLocked(storm, now);
        }

        return new HistoryFile(
            HistoryColumns.Of(_minutes.Seconds, _minutes.Points),
            HistoryColumns.Of(_hours.Seconds, _hours.Points),
            [.. _storms.Values.Reverse()]);
    }

    private void KeepLocked(StormView storm, DateTimeOffset now)
    {
        if (storm.StartedAt is not { } started || started > now || started < now - s_length)
        {
            return;
        }

        _storms[started] = storm with { Id = null, IsRunning = false, EstimatedEnd = null };
        while (_storms.Count > MaxStorms || _storms.First().Key < now - s_length)
        {
            _storms.Remove(_storms.First().Key);
        }
    }

    private HistoryColumns Columns(HistorySeries series)
    {
        lock (_gate)
        {
            return HistoryColumns.Of(series.Seconds, series.Points);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The history of traffic begins anew: {Reason}")]
    private static partial void LogUnread(ILogger log, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The history of traffic is not kept for the next start: {Reason}")]
    private static partial void LogUnwritten(ILogger log, string reason);
}

using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Observability;

/// <summary>Carries records to the sinks some times a second, so that requests never wake a thread for the sake of a log.</summary>
internal sealed partial class RecordPump(RequestRecorder recorder, IEnumerable<IRecordSink> sinks, TimeProvider time,
    ILogger<RecordPump> log) : BackgroundService, IHealthSource
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(20);

    private readonly IRecordSink[] _sinks = [.. sinks];
    private readonly List<RequestRecord> _records = [];
    private readonly LossWatch _losses = new(time);

    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        recorder.KeepsRecords = _sinks.Length > 0;
        recorder.KeepsTexts = Array.Exists(_sinks, static sink => sink.ReadsTexts);
        return base.StartAsync(cancellationToken);
    }

    /// <summary>Ends the loop, then carries what was recorded since its last round, also when the loop had not begun.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (ExecuteTask is null or { IsCompleted: true })
        {
            Pump();
        }
    }

    /// <summary>Carries what is there; called by the loop, and by tests. One caller at a time.</summary>
    public void Pump()
    {
        recorder.Drain(_records);
        var clock = new RecordClock(time, time.GetUtcNow(), time.GetTimestamp());
        foreach (IRecordSink sink in _sinks)
        {
            try
            {
                sink.Take(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_records), clock);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // A sink that fails must not cost the others their records; its own are lost.
                LogSinkFailed(log, e, sink.GetType().Name);
            }
        }

        if (_losses.Look(recorder.Dropped) is { } lost)
        {
            LogLost(log, lost);
        }

        _records.Clear();
        if (_records.Capacity > 65_536)
        {
            _records.Capacity = 4096;
        }
    }

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find() => _losses.IsRecent
        ? [new HealthFinding("requests-unrecorded", HealthLevel.Degraded,
        "Requests come faster than they are recorded: some are missing from access log and boot timelines "
        + "(breakwater_requests_unrecorded_total).")]
        : [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // By the machine's clock: nothing is decided by it, and a clock that a test sets on by an hour would run it 180,000 times.
        using var timer = new PeriodicTimer(s_interval);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                Pump();
            }
        }
        catch (OperationCanceledException)
        {
            // StopAsync carries the rest.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Requests} requests are missing from access log and boot timelines: they came faster than they could be recorded")]
    private static partial void LogLost(ILogger log, long requests);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Sink} could not take the last requests; they are missing in it")]
    private static partial void LogSinkFailed(ILogger log, Exception exception, string sink);
}

using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Observability.AccessLogs;

/// <summary>
/// Writes the access log from the records that the pump brings, on a thread of its own. A disk that refuses, or is too slow, costs lines,
/// nothing else.
/// </summary>
internal sealed partial class AccessLog : IRecordSink, IHealthSource, IDisposable
{
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(10);

    private readonly AccessLogFormat _format;
    private readonly RotatedFile? _file;
    private readonly Stream? _output;
    private readonly IObjectPaths[] _paths;
    private readonly RequestRecorder _recorder;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly LogBacklog _backlog;
    private readonly LossWatch _losses;
    private long? _failedAt;            // the writing thread's
    private volatile string? _fault;
    private volatile bool _mustReopen;

    public AccessLog(AccessLogOptions options, IEnumerable<IObjectPaths> paths, RequestRecorder recorder, TimeProvider time,
        ILogger<AccessLog> log)
        : this(options, options.Path == "-" ? Console.OpenStandardOutput() : null, paths, recorder, time, log)
    {
    }

    /// <param name="options">Where and how.</param>
    /// <param name="output">Written to in place of the file; null: the file.</param>
    /// <param name="paths">Names of objects.</param>
    /// <param name="recorder">Counts lost lines.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Takes the complaint about a log that cannot be written.</param>
    internal AccessLog(
        AccessLogOptions options, Stream? output, IEnumerable<IObjectPaths> paths, RequestRecorder recorder, TimeProvider time,
        ILogger<AccessLog> log)
    {
        _format = options.Format;
        _paths = [.. paths];
        _recorder = recorder;
        _time = time;
        _log = log;
        _output = output;
        _file = output is null ? new RotatedFile(options.Path!, options.MaxFileBytes, options.KeepFiles) : null;
        TryOpen();
        _backlog = new LogBacklog(Write, recorder.AddLostLines);
        _losses = new LossWatch(time);
    }

    /// <inheritdoc/>
    public bool ReadsTexts => true;

    /// <inheritdoc/>
    public void Take(ReadOnlySpan<RequestRecord> records, RecordClock clock)
    {
        if (!records.IsEmpty)
        {
            _backlog.Append(records, (lines, all) =>
            {
                foreach (ref readonly RequestRecord record in all)
                {
                    AccessLogLine.Append(lines, _format, record, clock, PathOf(record));
                }
            });
        }

        if (_losses.Look(_recorder.LostLines) is { } lost)
        {
            LogLost(_log, lost);
        }
    }

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find()
    {
        if (_fault is { } fault)
        {
            yield return new HealthFinding("access-log-failing", HealthLevel.Degraded,
                $"The access log cannot be written, lines are lost: {fault} It is tried again every 10 s.");
        }
        else if (_losses.IsRecent)
        {
            yield return new HealthFinding("access-log-slow", HealthLevel.Degraded,
                "The access log's disk or pipe is too slow, lines are lost (breakwater_access_log_lost_total).");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _backlog.Dispose();
        _file?.Dispose();
        _output?.Dispose();
    }

    /// <summary>A log that cannot be written is told at the start, not at the first line.</summary>
    private void TryOpen()
    {
        try
        {
            _file?.Prepare();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail(e);
        }
    }

    private void Fail(Exception failure)
    {
        if (_fault is null)
        {
            LogRefused(_log, failure);
        }

        _fault = failure.Message;
        _failedAt = _time.GetTimestamp();
        _file?.Close();
    }

    /// <summary>Called by the backlog's thread.</summary>
    private bool Write(ReadOnlyMemory<byte> lines)
    {
        if (_failedAt is { } failedAt && _time.GetElapsedTime(failedAt) < s_retryAfter)
        {
            return false;
        }

        try
        {
            if (_mustReopen)
            {
                _mustReopen = false;
                _file?.Close();
            }

            _output?.Write(lines.Span);
            _output?.Flush();
            _file?.Append(lines.Span);
            (_fault, _failedAt) = (null, null);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail(e);
            return false;
        }
    }

    /// <summary>The next lines go to the file that then has the log's name. Any thread.</summary>
    public void Reopen() => _mustReopen = true;

    private string? PathOf(in RequestRecord record)
    {
        if (record.PathHint is not null || !record.HasKey || record.Fqrn is not { } fqrn)
        {
            return record.PathHint;
        }

        foreach (IObjectPaths paths in _paths)
        {
            if (paths.Find(fqrn, record.Key) is { } path)
            {
                return path;
            }
        }

        return null;
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Lines} lines are missing from the access log: its disk or pipe does not take them")]
    private static partial void LogLost(ILogger log, long lines);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The access log cannot be written; lines are lost until it can")]
    private static partial void LogRefused(ILogger log, Exception exception);
}

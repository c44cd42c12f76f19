using System.Buffers;
using Breakwater.CacheStore;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Observability.AccessLogs;

/// <summary>Names the file behind an object, where that is known. Cheap: called for each line of the log.</summary>
internal interface IObjectPaths
{
    /// <summary>The path below the repository's root, with a leading slash; null when not known.</summary>
    string? Find(string fqrn, in ObjectKey key);
}

/// <summary>Writes the access log from the records that the pump brings, a batch at a time. A disk that refuses costs lines, nothing else.</summary>
internal sealed partial class AccessLog : IRecordSink, IHealthSource, IDisposable
{
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(10);

    private readonly AccessLogFormat _format;
    private readonly RotatedFile? _file;
    private readonly Stream? _output;
    private readonly IObjectPaths[] _paths;
    private readonly ILogger _log;
    private readonly ArrayBufferWriter<byte> _lines = new(64 << 10);
    private DateTimeOffset _retryAt = DateTimeOffset.MinValue;
    private volatile string? _fault;

    public AccessLog(AccessLogOptions options, IEnumerable<IObjectPaths> paths, ILogger<AccessLog> log)
    {
        _format = options.Format;
        _paths = [.. paths];
        _log = log;
        if (options.Path == "-")
        {
            _output = Console.OpenStandardOutput();
        }
        else
        {
            _file = new RotatedFile(options.Path!, options.MaxFileBytes, options.KeepFiles);
        }
    }

    /// <inheritdoc/>
    public void Take(ReadOnlySpan<RequestRecord> records, RecordClock clock)
    {
        if (records.IsEmpty || clock.Now < _retryAt)
        {
            return;
        }

        _lines.ResetWrittenCount();
        foreach (ref readonly RequestRecord record in records)
        {
            AccessLogLine.Append(_lines, _format, record, clock, PathOf(record));
        }

        try
        {
            _output?.Write(_lines.WrittenSpan);
            _file?.Append(_lines.WrittenSpan);
            _fault = null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_fault is null)
            {
                LogRefused(_log, e);
            }

            _fault = e.Message;
            _retryAt = clock.Now + s_retryAfter;
            _file?.Close();
        }
    }

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find() =>
        _fault is { } fault ? [new HealthFinding("access-log-failing", HealthLevel.Degraded, $"The access log cannot be written, lines are lost: {fault} It is tried again every 10 s.")] : [];

    /// <inheritdoc/>
    public void Dispose()
    {
        _file?.Dispose();
        _output?.Dispose();
    }

    private string? PathOf(in RequestRecord record)
    {
        if (record.PathHint is not null || !record.HasKey || record.Fqrn is null)
        {
            return record.PathHint;
        }

        foreach (IObjectPaths paths in _paths)
        {
            if (paths.Find(record.Fqrn, record.Key) is { } path)
            {
                return path;
            }
        }

        return null;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The access log cannot be written; lines are lost until it can")]
    private static partial void LogRefused(ILogger log, Exception exception);
}

using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Log;
using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Heads;

/// <summary>
/// Commits a log of heads in the background and keeps it within its limits: the oldest segment is given up, and what was asked for in it
/// is written to the log's end first, up to half of the segment. Sleeps while there is nothing to do.
/// </summary>
internal sealed class HeadKeeper : IAsyncDisposable
{
    private readonly HeadLog _heads;
    private readonly BlobLog _log;
    private readonly HeadLimits _limits;
    private readonly DiskHealth _health;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _reading = new(); // while it is held no segment is given up
    private readonly Wakeup _wake = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;

    public HeadKeeper(HeadLog heads, BlobLog log, HeadLimits limits, DiskHealth health, TimeProvider time, ILogger logger)
    {
        _heads = heads;
        _log = log;
        _limits = limits;
        _health = health;
        _time = time;
        _logger = logger;
        _running = Task.Run(RunAsync);
        Wake(); // its quota may be less than it was
    }

    private bool IsCleaningDue =>
        _log.Segments.IdOf(_log.TailAddress) > _log.Segments.IdOf(_log.BeginAddress)
        && (_heads.UsedBytes > _limits.QuotaBytes || _heads.Count > _limits.MostHeads);

    /// <summary>There is something to commit.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Hands all heads over, read from the disk as they are enumerated; those that come meanwhile may be missing.</summary>
    public T WithAll<T>(Func<IEnumerable<NamedHead>, T> use)
    {
        lock (_reading)
        {
            return use(All());
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        await LastCommit.MakeAsync(() => CommitAsync(_health.Failing), "the heads' log", _logger);

        _wake.Dispose();
        _stopping.Dispose();
    }

    private IEnumerable<NamedHead> All()
    {
        using EntryReader reader = new(_log.Segments);
        LogScanner scanner = new(_log.Segments, _log.Geometry.PageSizeBits);
        long until = _log.FlushedUntilAddress;
        foreach (StagedHead staged in _heads.Staged())
        {
            if (HeadEntry.NameIn(staged.Payload.Span) is { } name)
            {
                yield return new NamedHead(staged.Key, name);
            }
        }

        foreach (ScannedEntry entry in scanner.Scan(_log.BeginAddress, until))
        {
            if (entry.Header.Kind == EntryKind.Whole && _heads.IsUsedAt(entry.Header.Key, entry.Address) is not null
                && NameAt(reader, entry) is { } name)
            {
                yield return new NamedHead(entry.Header.Key, name);
            }
        }
    }

    private static string? NameAt(EntryReader reader, in ScannedEntry entry)
    {
        ReadOnlySpan<byte> read = reader.Read(entry.Address, entry.Header.PayloadLength);
        return read.IsEmpty ? null : HeadEntry.NameIn(read[EntryHeader.SizeBytes..]);
    }

    private async Task RunAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await _wake.WaitAsync(_stopping.Token);
                await Task.Delay(_limits.CommitInterval, _time, _stopping.Token);
                await CommitAsync(_stopping.Token);
                while (IsCleaningDue && await TryCleanAsync())
                {
                }

                WriteMissingTables();
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                // DisposeAsync makes the last commit.
            }
            catch (Exception failure)
            {
                _logger.LogError(failure, "The heads' log could not be committed or cleaned; tried again with the next head.");
            }
        }
    }

    private async Task CommitAsync(CancellationToken cancellationToken)
    {
        await _log.CommitAsync(cancellationToken);
        if (_heads.OnFlushed(_log.FlushedUntilAddress))
        {
            await _log.CommitAsync(cancellationToken); // removals that were owed
        }
    }

    /// <summary>Gives up the oldest segment. False: it is not durable yet.</summary>
    private async Task<bool> TryCleanAsync()
    {
        SegmentSet segments = _log.Segments;
        int oldest = segments.IdOf(_log.BeginAddress);
        long end = segments.StartOf(oldest + 1);
        if (end > Math.Min(_log.CommittedUntilAddress, _log.FlushedUntilAddress))
        {
            return false;
        }

        await KeepUsedAsync(end);
        await CommitAsync(_stopping.Token);
        lock (_reading)
        {
            _log.TruncateUntil(end);
        }

        await CommitAsync(_stopping.Token);
        _log.RemoveGivenUp();
        return true;
    }

    private async Task KeepUsedAsync(long end)
    {
        using EntryReader reader = new(_log.Segments);
        LogScanner scanner = new(_log.Segments, _log.Geometry.PageSizeBits);
        long room = _heads.Count > _limits.MostHeads ? 0 : _log.Segments.SegmentBytes / 2;
        foreach (ScannedEntry entry in scanner.Scan(_log.BeginAddress, end))
        {
            ObjectKey key = entry.Header.Key;
            if (entry.Header.Kind != EntryKind.Whole || _heads.IsUsedAt(key, entry.Address) is not { } isUsed)
            {
                continue;
            }

            if (isUsed && room > 0 && Payload(reader, entry) is { } payload)
            {
                room -= BlobLog.SizeOf(payload.Length);
                if (_heads.TryMove(key, entry.Address, payload))
                {
                    continue;
                }

                await CommitAsync(_stopping.Token); // the log's pages in memory are full
                if (_heads.TryMove(key, entry.Address, payload))
                {
                    continue;
                }
            }

            _heads.Drop(key, entry.Address);
        }
    }

    private static byte[]? Payload(EntryReader reader, in ScannedEntry entry)
    {
        ReadOnlySpan<byte> read = reader.Read(entry.Address, entry.Header.PayloadLength);
        return read.IsEmpty ? null : read[EntryHeader.SizeBytes..].ToArray();
    }

    private void WriteMissingTables()
    {
        int tail = _log.Segments.IdOf(Math.Min(_log.CommittedUntilAddress, _log.FlushedUntilAddress));
        foreach (int id in _log.Segments.WithoutTable().Where(id => id < tail))
        {
            try
            {
                SegmentTable.WriteFromSegment(_log.Segments, id, _log.Geometry.PageSizeBits);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                _logger.LogWarning(
                    failure, "The table of segment {Segment} of the heads could not be written; the next start reads the segment.", id);
            }
        }
    }
}

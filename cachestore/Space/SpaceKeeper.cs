using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Index;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Staging;
using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Space;

/// <summary>
/// Keeps the store within its quota: cleans the oldest segments in the background, and holds writers back when they are faster than that.
/// Objects are evicted for what is verified only (<see cref="UnverifiedBytes"/>). Also writes the tables of full segments.
/// </summary>
internal sealed class SpaceKeeper : IAsyncDisposable
{
    /// <summary>Share of the quota that is kept free for bodies whose digest is not known yet: 1 of 16.</summary>
    private const int ReserveShare = 16;

    private readonly ObjectTable _table;
    private readonly BlobLog _log;
    private readonly SegmentSet _segments;
    private readonly CommitLoop _commits;
    private readonly UnverifiedBytes _unverified;
    private readonly DiskHealth _health;
    private readonly SpaceLimits _limits;
    private readonly KeptWriter _kept;
    private readonly Cleaner _cleaner;
    private readonly ILogger _logger;
    private readonly Wakeup _wake = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _evicting = new(1); // one operator at a time: there is one target
    private readonly Lock _gate = new();
    private TaskCompletionSource<bool> _progress = new(TaskCreationOptions.RunContinuationsAsynchronously); // replaced under _gate
    private long _target = long.MaxValue; // what an operator asked for
    private int _hand; // the kept segment that was looked at last
    private readonly Task _running;

    public SpaceKeeper(ObjectTable table, BlobLog log, CommitLoop commits, UnverifiedBytes unverified, DiskHealth health,
        SpaceLimits limits, ILogger logger)
    {
        _table = table;
        _log = log;
        _segments = log.Segments;
        _commits = commits;
        _unverified = unverified;
        _health = health;
        _limits = limits;
        _logger = logger;
        Ghosts = new GhostTable((int)Math.Min(QuotaBytes / 45_000, 4 << 20));
        _kept = new KeptWriter(_segments, log.Geometry.PageSizeBits);
        _cleaner = new Cleaner(table, log, _kept, Ghosts);
        _running = Task.Run(RunAsync);
    }

    /// <summary>Bytes that the segment files may take.</summary>
    public long QuotaBytes => _limits.QuotaBytes;

    /// <summary>Does another machine of the site keep an object as well? Null: there is none.</summary>
    public Func<ObjectKey, bool>? IsElsewhere
    {
        get => _cleaner.IsElsewhere;
        set => _cleaner.IsElsewhere = value;
    }

    /// <summary>What left the store lately.</summary>
    public GhostTable Ghosts { get; }

    public long FreshBytes =>
        (_segments.IdOf(_log.TailAddress) - _segments.IdOf(_log.BeginAddress) + 1L) * _segments.SegmentBytes;

    public long KeptBytes => _segments.KeptCount * _segments.SegmentBytes;

    /// <summary>Bytes that segments take, full or not.</summary>
    public long UsedBytes => FreshBytes + KeptBytes;

    /// <summary>Is there more than what is verified may take, or than an operator wants?</summary>
    public bool IsEvictionDue
    {
        get
        {
            // of the segments that are being filled
            long rooms = _segments.SegmentBytes - _segments.OffsetOf(_log.TailAddress) + _kept.RoomBytes;
            long verified = UsedBytes - rooms - _unverified.Writing - _unverified.Dead;
            return UsedBytes > Volatile.Read(ref _target)
                || verified > EffectiveQuota() - (QuotaBytes / ReserveShare) - (2 * _segments.SegmentBytes);
        }
    }

    /// <summary>A commit went by: there may be something to do.</summary>
    public void Wake() => _wake.Set();

    /// <summary>
    /// Must a writer wait? At the quota and one segment, as the disk has it: what is given up takes room until its file is gone.
    /// </summary>
    public bool IsFull => DiskBytes > QuotaBytes - _limits.OthersBytes() + _segments.SegmentBytes;

    /// <summary>Bytes that files take: with those of segments that the log has given up and that are still there.</summary>
    private long DiskBytes => UsedBytes + (_segments.CountBelow(_segments.IdOf(_log.BeginAddress)) * _segments.SegmentBytes);

    /// <summary>Completes when a segment was freed (true), or none could be (false).</summary>
    public Task<bool> ProgressAsync()
    {
        Task<bool> progress;
        lock (_gate)
        {
            progress = _progress.Task;
        }

        if (_stopping.IsCancellationRequested)
        {
            return Task.FromResult(false); // the last signal may have gone by
        }

        Wake();
        return progress;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _kept.Abandon(); // it is flushed, or void
        WriteMissingTables(); // the next start need not ask which
        SignalProgress(false);
        _wake.Dispose(); // _evicting is not: whoever waits for it would do so for ever
        _stopping.Dispose();
    }

    /// <summary>Cleans down to so many bytes, files and all. Returns what the segments take then.</summary>
    /// <exception cref="IOException">The disk refuses writes, which giving up a segment needs, too.</exception>
    public async Task<long> EvictToAsync(long bytes, CancellationToken cancellationToken)
    {
        await _evicting.WaitAsync(cancellationToken);
        CancellationToken failing = _health.Failing;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, failing);
        try
        {
            Volatile.Write(ref _target, bytes);
            for (int rounds = 0; DiskBytes > bytes && rounds < 2;) // one in vain may have begun before it knew the target
            {
                rounds = await ProgressAsync().WaitAsync(either.Token) ? 0 : rounds + 1;
            }

            Volatile.Write(ref _target, long.MaxValue);
            await ProgressAsync().WaitAsync(either.Token); // a round may be at it yet, and would take what the caller has given free since
            return DiskBytes;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException(
                $"The disk of the store refuses writes ({_health.WriteFailure?.Message}), which making room needs, too: it takes "
                + $"{UsedBytes} bytes now. Free some space on it otherwise.");
        }
        finally
        {
            Volatile.Write(ref _target, long.MaxValue);
            _evicting.Release();
        }
    }

    private async Task RunAsync()
    {
        bool hasFailed = false;
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                // after a failure new objects are refused, so no commit may wake us: we try again ourselves, and say so when it is over
                await _wake.WaitAsync(hasFailed ? DiskHealth.RetryInterval : Timeout.InfiniteTimeSpan, _stopping.Token);
                _log.RemoveGivenUp();
                WriteMissingTables();
                while (!_stopping.IsCancellationRequested && await MakeRoomAsync())
                {
                    SignalProgress(true);
                }

                _table.DropPast();
                if (hasFailed)
                {
                    hasFailed = false;
                    _health.ReportSuccess();
                }
            }
            catch (OperationCanceledException)
            {
                // closing
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                hasFailed = true;
                _health.Report(failure);
            }
            catch (Exception failure)
            {
                _logger.LogError(failure, "The store could not make room; tried again with the next commit.");
            }

            SignalProgress(false);
        }
    }

    /// <summary>The quota without what named bodies take of it, or less when others fill the disk.</summary>
    private long EffectiveQuota() =>
        Math.Min(QuotaBytes - _limits.OthersBytes(), UsedBytes + _segments.Disk.FreeBytes(_segments.DirectoryPath) - _limits.FloorBytes);

    /// <summary>Makes some room. False: there is enough, or none can be made now.</summary>
    private async Task<bool> MakeRoomAsync()
    {
        if (IsEvictionDue)
        {
            return await CleanOneAsync();
        }

        return UsedBytes > EffectiveQuota() && await ReclaimAsync();
    }

    /// <summary>Room that unverified bodies take is made at their cost. False: none can be made now.</summary>
    private async Task<bool> ReclaimAsync()
    {
        if (_unverified.Dead >= _segments.SegmentBytes && IsFreshPossible(out int oldest))
        {
            await CleanFreshAsync(oldest, isEvicting: false);
            return true;
        }

        return (_unverified.Writing > QuotaBytes / ReserveShare && TryRevoke(_commits.LargestUnverified()))
            || (IsFull && !IsEvictionDue && TryRevoke(_commits.Oldest())); // asked anew: writers went on since it was not due
    }

    private bool TryRevoke(StagedObject? staged)
    {
        if (staged is not null)
        {
            _unverified.Revoke(staged);
        }

        return staged is not null;
    }

    private bool IsFreshPossible(out int oldest)
    {
        long limit = _commits.PublishedUntilAddress;
        oldest = _segments.IdOf(_log.BeginAddress);
        return _segments.StartOf(oldest + 1) <= limit;
    }

    /// <summary>Cleans the segment whose turn it is. False: none can be cleaned now.</summary>
    private async Task<bool> CleanOneAsync()
    {
        bool freshIsPossible = IsFreshPossible(out int oldest);
        IReadOnlyList<int> keptIds = [.. _segments.KeptIds.Where(id => id != _kept.CurrentId)];
        if (freshIsPossible
            && EvictionPolicy.IsFreshNext(FreshBytes, keptIds.Count * _segments.SegmentBytes, QuotaBytes, _segments.SegmentBytes))
        {
            await CleanFreshAsync(oldest, isEvicting: true);
            return true;
        }

        for (int i = 0; i < keptIds.Count * (EvictionPolicy.MaxFrequency + 1); i++)
        {
            int id = NextAfterHand(keptIds);
            if (_cleaner.TryClean(id, isEvicting: true))
            {
                _segments.Remove(id);
                return true;
            }
        }

        if (freshIsPossible)
        {
            await CleanFreshAsync(oldest, isEvicting: true);
            return true;
        }

        // the oldest segment holds parts of an object that is still being written: it is in everybody's way
        return IsFull && TryRevoke(_commits.Oldest());
    }

    private int NextAfterHand(IReadOnlyList<int> keptIds) => _hand = keptIds.FirstOrDefault(id => id > _hand, keptIds[0]);

    private async Task CleanFreshAsync(int id, bool isEvicting)
    {
        // not while writers wait: then room must be made by the next segment, whosever it is
        bool isSparing = isEvicting && !IsFull && _table.Shares.FreshExcess >= _segments.SegmentBytes;
        _cleaner.TryClean(id, isEvicting, isSparing);
        _log.TruncateUntil(_segments.StartOf(id + 1));
        await _log.CommitAsync(_stopping.Token);
        _log.RemoveGivenUp();
    }

    private void WriteMissingTables()
    {
        int tail = _segments.IdOf(_commits.PublishedUntilAddress);
        foreach (int id in _segments.WithoutTable().Where(id => SegmentSet.IsKept(id) ? id != _kept.CurrentId : id < tail))
        {
            try
            {
                SegmentTable.WriteFromSegment(_segments, id, _log.Geometry.PageSizeBits,
                    SegmentSet.IsKept(id) ? IsLive : null);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                _logger.LogWarning(failure,
                    "The table of segment {Segment} could not be written; the next start reads the segment instead.", id);
            }
        }
    }

    /// <summary>Does the index point to it? What the cleaner did not flush is in a kept segment as well, and never counts.</summary>
    private bool IsLive(ScannedEntry entry) => _table.TryGetAt(entry.Header.Key, entry.Address, out _);

    private void SignalProgress(bool isFreed)
    {
        lock (_gate)
        {
            _progress.TrySetResult(isFreed);
            _progress = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}

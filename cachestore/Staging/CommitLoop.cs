using System.Collections.Concurrent;
using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Log;
using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Staging;

/// <summary>
/// Makes objects durable in groups, off the request path: commit the log, then point the index to the objects, then acknowledge. The log is
/// the truth: an object whose entries are committed is there after a crash, whatever the index knew. Sleeps while there is nothing to do.
/// </summary>
internal sealed class CommitLoop : IAsyncDisposable
{
    private readonly BlobLog _log;
    private readonly DiskHealth _health;
    private readonly Func<PendingCommit, bool> _publish;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentQueue<PendingCommit> _pending = new();
    private readonly ConcurrentDictionary<StagedObject, byte> _staged = new(); // what has memory to let go of
    private readonly Wakeup _wake = new(); // something is to be committed
    private readonly Wakeup _hurry = new(); // and should not wait for the interval
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _cycleGate = new();
    private TaskCompletionSource _cycle = new(TaskCreationOptions.RunContinuationsAsynchronously); // replaced under _cycleGate
    private volatile bool _isClosed;
    private readonly Task _running;

    public CommitLoop(BlobLog log, DiskHealth health, Func<PendingCommit, bool> publish, TimeSpan interval, TimeProvider time,
        ILogger logger)
    {
        _log = log;
        _health = health;
        _publish = publish;
        _interval = interval;
        _time = time;
        _logger = logger;
        _running = Task.Run(RunAsync);
    }

    /// <summary>Called after each commit.</summary>
    public Action? Committed { get; set; }

    /// <summary>The object's entries are all in the log. The caller's hold on it passes to the loop.</summary>
    public void Enqueue(PendingCommit commit)
    {
        _pending.Enqueue(commit);
        if (_isClosed)
        {
            FailPending(); // it came too late for the last commit
            return;
        }

        Wake();
    }

    /// <summary>
    /// Watches an object from before its first entry until the index knows it: its memory is let go of as the log flushes, and its entries
    /// are not cleaned away.
    /// </summary>
    public void Watch(StagedObject staged)
    {
        if (staged.FloorAddress == long.MaxValue)
        {
            staged.FloorAddress = _log.TailAddress;
            _staged.TryAdd(staged, 0);
        }
    }

    /// <summary>No entry of an object that the index does not know yet lies below. long.MaxValue: there is none.</summary>
    public long LowestUnpublishedAddress => Oldest()?.FloorAddress ?? long.MaxValue;

    /// <summary>The index knows all entries below.</summary>
    public long PublishedUntilAddress
    {
        get
        {
            // in this order: an entry that is committed by now was watched before
            long committed = _log.CommittedUntilAddress;
            return Math.Min(committed, LowestUnpublishedAddress);
        }
    }

    /// <summary>The object that is being written for the longest time, and was not revoked; null: there is none.</summary>
    public StagedObject? Oldest() => Unrevoked().MinBy(static staged => staged.FloorAddress);

    /// <summary>The one that has most in the log and no digest yet; null: there is none.</summary>
    public StagedObject? LargestUnverified() =>
        Unrevoked().MaxBy(static staged => staged.Parts.UnverifiedBytes) is { Parts.UnverifiedBytes: > 0 } largest ? largest : null;

    /// <summary>Objects that are watched.</summary>
    public int Watched => _staged.Count;

    public void Unwatch(StagedObject staged) => _staged.TryRemove(staged, out _);

    /// <summary>There is something to commit within the interval.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Commits now. Completes with the end of the next commit.</summary>
    public Task HurryAsync()
    {
        Task cycle;
        lock (_cycleGate)
        {
            cycle = _cycle.Task;
        }

        Hurry();
        return _isClosed ? Task.CompletedTask : cycle; // closed: the last signal may have gone by
    }

    /// <summary>Commits now, not at the end of the interval.</summary>
    public void Hurry()
    {
        Wake();
        _hurry.Set();
    }

    /// <summary>Ends the loop after a last commit, unless the disk refuses it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        await LastCommit.MakeAsync(() => CommitAsync(_health.Failing), "the store's log", _logger);

        _isClosed = true;
        SignalCycle();
        FailPending();
        _wake.Dispose();
        _hurry.Dispose();
        _stopping.Dispose();
    }

    private IEnumerable<StagedObject> Unrevoked() => _staged.Keys.Where(static staged => !staged.IsRevoked);

    private void FailPending()
    {
        while (_pending.TryDequeue(out PendingCommit commit))
        {
            commit.Staged.Committed.TrySetResult(CommitResult.Failed);
            commit.Staged.Release();
        }
    }

    private async Task RunAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await _wake.WaitAsync(_stopping.Token);
                await WaitForIntervalAsync();
                await CommitAsync(_stopping.Token);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                // DisposeAsync makes the last commit
            }
            catch (Exception failure)
            {
                // FASTER's own failures: objects stay pending, the next round tries again
                _logger.LogError(failure, "A commit of the store's log failed.");
            }
        }
    }

    private async Task CommitAsync(CancellationToken cancellationToken)
    {
        int count = _pending.Count; // these have their entries in the log; who comes later waits for the next round
        await _log.CommitAsync(cancellationToken);
        for (; count > 0 && _pending.TryDequeue(out PendingCommit commit); count--)
        {
            commit.Staged.Parts.ReleaseFlushed(_log.FlushedUntilAddress);
            CommitResult result = CommitResult.Failed;
            try
            {
                result = _publish(commit) ? CommitResult.Committed : CommitResult.StoreFull;
            }
            finally
            {
                Unwatch(commit.Staged);
                commit.Staged.Committed.TrySetResult(result);
                commit.Staged.Release();
            }
        }

        foreach (StagedObject staged in _staged.Keys)
        {
            staged.Parts.ReleaseFlushed(_log.FlushedUntilAddress);
        }

        StagingMemory.Shared.Trim();
        Committed?.Invoke();
        SignalCycle();
    }

    private void SignalCycle()
    {
        lock (_cycleGate)
        {
            _cycle.TrySetResult();
            _cycle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private async Task WaitForIntervalAsync()
    {
        using CancellationTokenSource done = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        Task interval = Task.Delay(_interval, _time, done.Token);
        Task hurry = _hurry.WaitAsync(done.Token);
        await Task.WhenAny(interval, hurry);
        await done.CancelAsync();
        await Task.WhenAll(interval.ContinueWith(static _ => { }, TaskScheduler.Default),
            hurry.ContinueWith(static _ => { }, TaskScheduler.Default));
        _stopping.Token.ThrowIfCancellationRequested();
    }
}

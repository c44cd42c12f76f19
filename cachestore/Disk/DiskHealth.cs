using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Disk;

/// <summary>
/// Does the disk take writes at present? Written by whoever writes, read by whoever wants to store something. Thread-safe.
/// </summary>
internal sealed class DiskHealth(TimeProvider time, ILogger logger) : IDisposable
{
    /// <summary>A write that failed is tried again after this time.</summary>
    public static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly ManualResetEventSlim _retryNow = new();
    private readonly Lock _gate = new();
    private CancellationTokenSource _failing = new(); // replaced under _gate
    private Exception? _failure; // the last write's, null when it succeeded; written under _gate

    /// <summary>Why the disk refuses writes; null when it takes them.</summary>
    public Exception? WriteFailure => Volatile.Read(ref _failure);

    /// <summary>Cancelled from a failed write until the next one that succeeds: nobody needs to wait for the disk meanwhile.</summary>
    public CancellationToken Failing
    {
        get
        {
            lock (_gate)
            {
                return _failing.Token;
            }
        }
    }

    public void Report(Exception failure)
    {
        CancellationTokenSource? failing = null;
        lock (_gate)
        {
            if (_failure is null)
            {
                failing = _failing;
                _retryNow.Reset();
            }

            _failure = failure;
        }

        if (failing is not null)
        {
            failing.Cancel();
            logger.LogError(
                failure,
                "The store's disk refuses writes; objects are served from what can be read, new ones are not stored. Tried again every "
                + "{Interval}. "
                + "Free space or repair the disk: no restart is needed.",
                RetryInterval);
        }
    }

    public void ReportSuccess()
    {
        if (WriteFailure is null)
        {
            return;
        }

        lock (_gate)
        {
            if (_failure is null)
            {
                return;
            }

            _failure = null;
            _failing = new CancellationTokenSource(); // the old one is not disposed: Report may be about to cancel it
        }

        logger.LogInformation("The store's disk takes writes again.");
    }

    /// <summary>Waits until a failed write should be tried again.</summary>
    public void WaitBeforeRetry()
    {
        // again: another waiter may reset it first
        using ITimer timer =
            time.CreateTimer(static state => ((ManualResetEventSlim)state!).Set(), _retryNow, RetryInterval, RetryInterval);
        _retryNow.Wait();
        _retryNow.Reset();
    }

    /// <summary>Ends a wait at once.</summary>
    public void RetryNow() => _retryNow.Set();

    public void Dispose()
    {
        _retryNow.Dispose();
        _failing.Dispose();
    }
}

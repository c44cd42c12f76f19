using Breakwater.CacheStore;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Prefetching;

/// <summary>
/// Runs ahead of clients whose misses follow a trail that was walked before: the rest of it is fetched, several objects at a time, while
/// they ask for one after the other. It needs no catalogs and no manifest; working sets know more (paths, so that they survive a new
/// revision), this knows sooner. Trails outlive a restart and the objects. Thread-safe.
/// </summary>
internal sealed partial class LookAhead(
    Prefetcher prefetcher, SavedTrails trails, WorkingSetOptions options, TimeProvider time, ILogger<LookAhead> log) : BackgroundService
{
    /// <summary>
    /// So many that cannot be had end a run: their Stratum 1s are down, or the revision is gone, and asking for the rest helps nobody.
    /// </summary>
    private const int MaxFailed = 16;

    /// <summary>Runs at a time, of 2,048 objects at most each: more are not begun.</summary>
    private const int MaxRuns = 16;

    private static readonly TimeSpan s_saveInterval = TimeSpan.FromSeconds(10);

    private readonly MissTrails _trails = trails.Trails;
    private CancellationToken _stopping;
    private int _runs;

    /// <summary>A client waits for an object that the store lacks, the first to do so.</summary>
    public void Missed(RepositoryRoute repository, in ObjectKey key)
    {
        if (!options.Learn)
        {
            return;
        }

        IReadOnlyList<ObjectKey> next = _trails.Follow(repository.Fqrn, key);
        if (next.Count == 0 || !options.Prefetch)
        {
            return;
        }

        if (Interlocked.Increment(ref _runs) > MaxRuns)
        {
            Interlocked.Decrement(ref _runs);
            return;
        }

        _ = Task.Run(() => RunAsync(repository, next), CancellationToken.None);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _stopping = stoppingToken;
        using var timer = new PeriodicTimer(s_saveInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await trails.SaveAsync();
            }
        }
        catch (OperationCanceledException)
        {
            await trails.SaveAsync();
        }
    }

    private async Task RunAsync(RepositoryRoute repository, IReadOnlyList<ObjectKey> keys)
    {
        long begun = time.GetTimestamp();
        var progress = new PrefetchProgress { MaxFailed = MaxFailed, NotFound = key => _trails.Forget(repository.Fqrn, key) };
        try
        {
            await prefetcher.RunAsync(repository, keys, progress, PrefetchAim.Boot, _stopping);
            LogLookedAhead(log, repository.Fqrn, keys.Count, progress.Fetched, progress.Failed,
                time.GetElapsedTime(begun).TotalMilliseconds);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The proxy stops, or the store cannot: clients are served as ever.
        }
        finally
        {
            Interlocked.Decrement(ref _runs);
        }
    }

    [LoggerMessage(Level = LogLevel.Information,
        Message = "{Repository}: looked ahead of clients, {Objects} objects: {Fetched} fetched, {Failed} not to be had, in "
        + "{Milliseconds:0} ms")]
    private static partial void LogLookedAhead(ILogger log, Fqrn repository, int objects, int fetched, int failed, double milliseconds);
}

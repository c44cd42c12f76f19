using System.Buffers;
using System.Diagnostics;
using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>How a prefetch stands; counts only grow. Thread-safe.</summary>
internal sealed class PrefetchProgress
{
    private int _present;
    private int _fetched;
    private int _failed;

    /// <summary>Objects to look at.</summary>
    public int Total { get; set; }

    /// <summary>Objects that the store had.</summary>
    public int Present => Volatile.Read(ref _present);

    /// <summary>Objects that were fetched.</summary>
    public int Fetched => Volatile.Read(ref _fetched);

    /// <summary>Objects that no Stratum 1 could give.</summary>
    public int Failed => Volatile.Read(ref _failed);

    public void AddPresent() => Interlocked.Increment(ref _present);

    public void AddFetched() => Interlocked.Increment(ref _fetched);

    public void AddFailed() => Interlocked.Increment(ref _failed);
}

/// <summary>
/// Brings objects into the store, and into memory, behind all clients: by the fetches that clients share, a few at a time in the whole
/// process, in the order given. While clients are busy it gives way: it works an eighth of the time. Thread-safe.
/// </summary>
internal sealed class Prefetcher(IObjectStore store, ObjectReader objects, WorkingSetOptions options, ProxyCounters counters) : IDisposable
{
    private const int BufferBytes = 128 << 10;

    /// <summary>Hits a second from which on clients are busy: a tenth of a core.</summary>
    private const int BusyHitsPerSecond = 2000;

    private const int PausesPerFetch = 7;
    private const long SampleMs = 100;

    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private long _sampledAt = Environment.TickCount64; // guarded by _gate
    private long _answersThen;                         // guarded by _gate
    private bool _isBusy;                              // guarded by _gate

    private readonly SemaphoreSlim _places = new(options.MaxConcurrentPrefetches);

    /// <summary>Fetches what the store lacks.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="keys">The objects, the most urgent first.</param>
    /// <param name="progress">Counts along.</param>
    /// <param name="toMemory">Read what is stored, so that the page cache has it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(RepositoryRoute repository, IReadOnlyList<ObjectKey> keys, PrefetchProgress progress, bool toMemory, CancellationToken cancellationToken)
    {
        progress.Total = keys.Count;
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, Math.Min(options.MaxConcurrentPrefetches, keys.Count)).Select(_ => Task.Run(
            async () =>
            {
                for (int i = Interlocked.Increment(ref next); i < keys.Count; i = Interlocked.Increment(ref next))
                {
                    await OneAsync(repository, keys[i], progress, toMemory, cancellationToken);
                }
            },
            cancellationToken)));
    }

    /// <inheritdoc/>
    public void Dispose() => _places.Dispose();

    private async Task OneAsync(RepositoryRoute repository, ObjectKey key, PrefetchProgress progress, bool toMemory, CancellationToken cancellationToken)
    {
        if (store.Contains(key) && (!toMemory || await ReadAsync(key, cancellationToken)))
        {
            progress.AddPresent();
            return;
        }

        await _places.WaitAsync(cancellationToken);
        try
        {
            long begun = Stopwatch.GetTimestamp();
            // A second try: another Stratum 1 may have caught up, or a transfer broke at a bad moment.
            if (await objects.FetchAsync(repository, key, null, FetchPriority.Prefetch, cancellationToken) is null
                || await objects.FetchAsync(repository, key, null, FetchPriority.Prefetch, cancellationToken) is null)
            {
                progress.AddFetched();
            }
            else
            {
                progress.AddFailed();
            }

            if (AreClientsBusy())
            {
                TimeSpan pause = Stopwatch.GetElapsedTime(begun) * PausesPerFetch;
                await Task.Delay(pause < s_longestPause ? pause : s_longestPause, cancellationToken);
            }
        }
        finally
        {
            _places.Release();
        }
    }

    private bool AreClientsBusy()
    {
        lock (_gate)
        {
            long now = Environment.TickCount64;
            if (now - _sampledAt >= SampleMs)
            {
                long answers = counters.HitPathAnswers;
                _isBusy = (answers - _answersThen) * 1000 >= BusyHitsPerSecond * (now - _sampledAt);
                _answersThen = answers;
                _sampledAt = now;
            }

            return _isBusy;
        }
    }

    /// <summary>Reads a stored object to its end, for the page cache's sake. False: it is gone or damaged.</summary>
    private async Task<bool> ReadAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (!store.TryOpen(key, out ObjectLease? lease))
        {
            return false;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        using (lease)
        {
            try
            {
                for (long offset = 0; offset < lease.Length;)
                {
                    int read = lease.TryRead(offset, buffer);
                    if (read < 0)
                    {
                        read = await lease.ReadAsync(offset, buffer, cancellationToken);
                    }

                    if (read == 0)
                    {
                        return false;
                    }

                    offset += read;
                }

                return true;
            }
            catch (IOException)
            {
                return false;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }
}

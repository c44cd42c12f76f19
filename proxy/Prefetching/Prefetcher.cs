using System.Buffers;
using System.Diagnostics;
using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Prefetching;

/// <summary>
/// Brings objects into the store, and into memory, behind all clients: by the fetches that clients share, a few at a time in the whole
/// process, in the order given. While clients are busy, and it is not for them, it gives way: so many bytes a second, and each object
/// begins when those before it are paid for. Thread-safe.
/// </summary>
internal sealed class Prefetcher(IObjectStore store, ObjectReader objects, WorkingSetOptions options, ProxyCounters counters) : IDisposable
{
    private const int BufferBytes = 128 << 10;

    /// <summary>Hits a second from which on clients are busy: a tenth of a core.</summary>
    private const int BusyHitsPerSecond = 2000;

    /// <summary>What is fetched a second while they are: a twentieth of a core, and a boot set of 64 MB in four seconds.</summary>
    private const long BusyBytesPerSecond = 16L << 20;

    /// <summary>What an object costs beside its bytes, in bytes.</summary>
    private const int ObjectCostBytes = 16 << 10;

    private const long SampleMs = 100;

    /// <summary>What a late timer does not use is made up for, up to 10 ms.</summary>
    private static readonly long s_mostCredit = Stopwatch.Frequency / 100;

    private readonly Lock _gate = new();
    private long _sampledAt = Environment.TickCount64; // guarded by _gate
    private long _answersThen;                         // guarded by _gate
    private bool _isBusy;                              // guarded by _gate
    private long _nextAt;                              // guarded by _gate: timestamp

    private readonly SemaphoreSlim _places = new(options.MaxConcurrentPrefetches);
    private readonly SemaphoreSlim _turn = new(1); // whoever has it waits for the time to begin

    /// <summary>Fetches what the store lacks.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="keys">The objects, the most urgent first.</param>
    /// <param name="progress">Counts along.</param>
    /// <param name="aim">What for.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(RepositoryRoute repository, IReadOnlyList<ObjectKey> keys, PrefetchProgress progress, PrefetchAim aim,
        CancellationToken cancellationToken)
    {
        progress.Total = keys.Count;
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, Math.Min(options.MaxConcurrentPrefetches, keys.Count)).Select(_ => Task.Run(
            async () =>
            {
                for (int i = Interlocked.Increment(ref next); i < keys.Count && progress.Failed < progress.MaxFailed;
                    i = Interlocked.Increment(ref next))
                {
                    await OneAsync(repository, keys[i], progress, aim, cancellationToken);
                }
            },
            cancellationToken)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _places.Dispose();
        _turn.Dispose();
    }

    private async Task OneAsync(RepositoryRoute repository, ObjectKey key, PrefetchProgress progress, PrefetchAim aim,
        CancellationToken cancellationToken)
    {
        if (store.Contains(key) && (aim == PrefetchAim.Store || await ReadAsync(key, cancellationToken)))
        {
            progress.AddPresent();
            return;
        }

        if (aim != PrefetchAim.Boot)
        {
            await GiveWayAsync(cancellationToken); // without a place: a boot's prefetch may need it
        }

        Action<int> charge = aim == PrefetchAim.Boot ? progress.AddBytes : bytes =>
        {
            progress.AddBytes(bytes);
            Charge(bytes);
        };
        await _places.WaitAsync(cancellationToken);
        try
        {
            // A second try: another Stratum 1 may have caught up, or a transfer broke at a bad moment.
            if (await objects.FetchAsync(repository, key, null, FetchPriority.Prefetch, cancellationToken, charge) is null
                || await objects.FetchAsync(repository, key, null, FetchPriority.Prefetch, cancellationToken, charge) is not { } failure)
            {
                progress.AddFetched();
                return;
            }

            progress.AddFailed();
            if (failure.Kind == FailureKind.NotFound)
            {
                progress.NotFound?.Invoke(key);
            }
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>Waits, while clients are busy, until what was fetched before is paid for.</summary>
    private async Task GiveWayAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            while (RestBeforeNext() is { Ticks: > 0 } rest)
            {
                // clients may be quiet by then
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(Math.Ceiling(rest.TotalMilliseconds), SampleMs)), cancellationToken);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>How long the next object must wait; zero: it begins now.</summary>
    private TimeSpan RestBeforeNext()
    {
        lock (_gate)
        {
            long now = Stopwatch.GetTimestamp();
            if (!AreClientsBusyLocked())
            {
                _nextAt = now;
                return TimeSpan.Zero;
            }

            if (_nextAt > now)
            {
                return Stopwatch.GetElapsedTime(now, _nextAt);
            }

            _nextAt = Math.Max(_nextAt, now - s_mostCredit) + CostOf(0); // its bytes are charged as they come
            return TimeSpan.Zero;
        }
    }

    private void Charge(int bytes)
    {
        lock (_gate)
        {
            _nextAt += CostOf(bytes) - CostOf(0);
        }
    }

    private static long CostOf(long bytes) => (bytes + ObjectCostBytes) * Stopwatch.Frequency / BusyBytesPerSecond;

    private bool AreClientsBusyLocked()
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

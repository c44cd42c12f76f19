using System.Buffers;
using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Prefetching;

/// <summary>
/// Brings objects into the store, and into memory, behind all clients: by the fetches that clients share, a few at a time in the whole
/// process, in the order given. What is not for clients that boot gives way to those that are busy (<see cref="PrefetchPace"/>).
/// Thread-safe.
/// </summary>
internal sealed class Prefetcher(IObjectStore store, ObjectReader objects, WorkingSetOptions options, PrefetchPace pace) : IDisposable
{
    private const int BufferBytes = 128 << 10;

    private readonly SemaphoreSlim _places = new(options.MaxConcurrentPrefetches);

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
    public void Dispose() => _places.Dispose();

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
            await pace.WaitAsync(cancellationToken); // without a place: a boot's prefetch may need it
        }

        Action<int> charge = aim == PrefetchAim.Boot ? progress.AddBytes : bytes =>
        {
            progress.AddBytes(bytes);
            pace.Charge(bytes);
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

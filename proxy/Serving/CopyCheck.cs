using System.Net;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Threading;
using Microsoft.Extensions.Caching.Memory;

namespace Breakwater.Proxy.Serving;

/// <summary>
/// Hashes stored copies again when clients doubt them. Coalesced by object; a copy found good is not hashed again for a while, and
/// one is hashed at a time, and clients take turns: no client can make this expensive. Thread-safe.
/// </summary>
internal sealed class CopyCheck : IDisposable
{
    /// <summary>
    /// Copies that wait for their turn: beyond it a client gets its copy as any other does, for a check goes on when its client leaves.
    /// </summary>
    private const int MaxWaiting = 4096;

    private static readonly TimeSpan s_goodFor = TimeSpan.FromSeconds(10);

    private readonly SingleFlight<ObjectKey, FetchPlace, bool> _running = new();
    private readonly FetchQueue _turn = new(1, prefetchLimit: 0);
    private readonly MemoryCache _good;
    private readonly IObjectStore _store;
    private readonly ProxyOptions _options;
    private readonly TimeProvider _time;

    public CopyCheck(IObjectStore store, ProxyOptions options, TimeProvider time)
    {
        _store = store;
        _options = options;
        _time = time;
        _good = new MemoryCache(new MemoryCacheOptions { SizeLimit = 100_000, Clock = new CacheClock(time) });
    }

    /// <summary>
    /// Are the stored bytes those that the key names? True as well when that cannot be told in time: then the client gets its copy as any
    /// other does, whose checksums are looked at as it is read.
    /// </summary>
    /// <param name="key">The object.</param>
    /// <param name="lease">Its copy.</param>
    /// <param name="client">Who doubts it.</param>
    /// <param name="cancellationToken">Ends the wait, not the check.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task<bool> IsGoodAsync(ObjectKey key, ObjectLease lease, IPAddress? client, CancellationToken cancellationToken)
    {
        if (_good.TryGetValue(key, out _) || (_running.Count >= MaxWaiting && !_running.IsUnderWay(key)))
        {
            return true;
        }

        if (lease.Key != key)
        {
            return false;
        }

        var mine = new FetchPlace(FetchPriority.Demand, client);
        (FetchPlace place, Task<bool> result) = _running.JoinOrStart(key, mine, () => CheckAsync(key, mine), out _);
        _turn.Promote(place, FetchPriority.Demand, client);
        try
        {
            return await result.WaitAsync(_options.AnswerTimeout / 2, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _good.Dispose();
    }

    private async Task<bool> CheckAsync(ObjectKey key, FetchPlace place)
    {
        await _turn.EnterAsync(place, CancellationToken.None);
        try
        {
            bool isGood = await HashesRightAsync(key);
            if (isGood)
            {
                using ICacheEntry entry = _good.CreateEntry(key);
                entry.Value = true; // without a value nothing is kept
                entry.Size = 1;
                entry.AbsoluteExpirationRelativeToNow = s_goodFor;
            }

            return isGood;
        }
        finally
        {
            _turn.Leave(place);
        }
    }

    private async Task<bool> HashesRightAsync(ObjectKey key)
    {
        if (!_store.TryOpen(key, out ObjectLease? lease))
        {
            return false;
        }

        using (lease)
        using (ObjectHasher hasher = ObjectHasher.Create(key.Algorithm))
        {
            byte[] buffer = new byte[64 << 10];
            long offset = 0;
            try
            {
                while (offset < lease.Length)
                {
                    int read = lease.TryRead(offset, buffer);
                    read = read >= 0 ? read : await lease.ReadAsync(offset, buffer);
                    if (read == 0)
                    {
                        return false;
                    }

                    hasher.Append(buffer.AsSpan(0, read));
                    offset += read;
                }
            }
            catch (IOException)
            {
                return false;
            }

            return hasher.FinishMatches(key);
        }
    }
}

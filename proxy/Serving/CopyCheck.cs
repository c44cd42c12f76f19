using System.Collections.Concurrent;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;
using Breakwater.Proxy.Fetching;
using Microsoft.Extensions.Caching.Memory;

namespace Breakwater.Proxy.Serving;

/// <summary>
/// Hashes stored copies again when clients doubt them. Coalesced by object; a copy found good is not hashed again for a while, and
/// one is hashed at a time: no client can make this expensive. Thread-safe.
/// </summary>
internal sealed class CopyCheck : IDisposable
{
    /// <summary>Copies that wait for their turn: beyond it a client gets its copy as any other does, for a check goes on when its client leaves.</summary>
    private const int MaxWaiting = 4096;

    private static readonly TimeSpan s_goodFor = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<ObjectKey, Lazy<Task<bool>>> _running = new();
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly MemoryCache _good;
    private readonly IObjectStore _store;

    public CopyCheck(IObjectStore store, TimeProvider time)
    {
        _store = store;
        _good = new MemoryCache(new MemoryCacheOptions { SizeLimit = 100_000, Clock = new CacheClock(time) });
    }

    /// <summary>Are the stored bytes those that the key names?</summary>
    public Task<bool> IsGoodAsync(ObjectKey key, ObjectLease lease)
    {
        if (_good.TryGetValue(key, out _) || (_running.Count >= MaxWaiting && !_running.ContainsKey(key)))
        {
            return Task.FromResult(true);
        }

        return lease.Key == key ? _running.GetOrAdd(key, k => new(() => Task.Run(() => CheckAsync(k)))).Value : Task.FromResult(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _turn.Dispose();
        _good.Dispose();
    }

    private async Task<bool> CheckAsync(ObjectKey key)
    {
        await _turn.WaitAsync();
        try
        {
            bool isGood = await HashesRightAsync(key);
            if (isGood)
            {
                using ICacheEntry entry = _good.CreateEntry(key);
                entry.Size = 1;
                entry.AbsoluteExpirationRelativeToNow = s_goodFor;
            }

            return isGood;
        }
        finally
        {
            _turn.Release();
            _running.TryRemove(key, out _);
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

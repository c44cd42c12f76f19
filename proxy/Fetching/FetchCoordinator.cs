using System.Collections.Concurrent;
using Breakwater.CacheStore;
using Breakwater.Proxy.Upstreams;
using Microsoft.Extensions.Caching.Memory;

namespace Breakwater.Proxy.Fetching;

/// <summary>What <see cref="FetchCoordinator.JoinOrStart"/> found; exactly one is not null. Whoever gets it disposes it.</summary>
/// <param name="Lease">The store has it after all.</param>
/// <param name="Follower">A fetch is under way.</param>
/// <param name="Failure">A remembered 404.</param>
internal readonly record struct FetchTicket(ObjectLease? Lease, FetchFollower? Follower, UpstreamFailure? Failure);

/// <summary>One fetch per object at a time, however many ask for it. Thread-safe.</summary>
internal sealed class FetchCoordinator : IDisposable
{
    /// <summary>A remembered 404 has a short hard end, whatever happens: the object may be published a moment later.</summary>
    private static readonly TimeSpan s_negativeLifetime = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<ObjectKey, InFlightFetch> _inFlight = new();
    private readonly ConcurrentDictionary<InFlightFetch, byte> _running = new();   // also those that were replaced in _inFlight
    private readonly FetchServices _services;
    private readonly MemoryCache _negative;
    private readonly ITimer _ticker;

    public FetchCoordinator(FetchServices services)
    {
        _services = services;
        _negative = new MemoryCache(new MemoryCacheOptions { SizeLimit = 100_000, Clock = new CacheClock(services.Time) });
        _ticker = services.Time.CreateTimer(static state => ((FetchCoordinator)state!).Tick(), this, s_tick, s_tick);
    }

    /// <summary>Fetches under way.</summary>
    public IReadOnlyCollection<InFlightFetch> InFlight => [.. _running.Keys];

    /// <summary>Joins the fetch of an object, or starts it.</summary>
    public FetchTicket JoinOrStart(FetchOrder order)
    {
        if (_negative.TryGetValue((order.Repository.Cluster, order.Key), out UpstreamFailure? negative) && negative is not null)
        {
            return new FetchTicket(null, null, negative);
        }

        while (true)
        {
            if (_inFlight.TryGetValue(order.Key, out InFlightFetch? running))
            {
                if (running.TryJoin(isLeader: false) is { } joined)
                {
                    running.Promote(order.Priority);
                    return new FetchTicket(null, joined, null);
                }

                // It ended, was given up, or can no longer be joined from its beginning: it is replaced.
                _inFlight.TryRemove(KeyValuePair.Create(order.Key, running));
            }

            var fetch = new InFlightFetch(order, _services);
            FetchFollower leader = fetch.TryJoin(isLeader: true)!;
            if (!_inFlight.TryAdd(order.Key, fetch))
            {
                Discard(fetch, leader);
                continue;
            }

            // Look again after winning the right to fetch: a fetch that just ended has put the object into the store.
            if (_services.Store.TryOpen(order.Key, out ObjectLease? lease))
            {
                _inFlight.TryRemove(KeyValuePair.Create(order.Key, fetch));
                fetch.EndAsStored();
                _ = leader.DisposeAsync().AsTask();
                return new FetchTicket(lease, null, null);
            }

            _running.TryAdd(fetch, 0);
            _ = Task.Run(() => RunAsync(fetch));
            return new FetchTicket(null, leader, null);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ticker.Dispose();
        _negative.Dispose();
    }

    private static void Discard(InFlightFetch fetch, FetchFollower leader)
    {
        _ = leader.DisposeAsync().AsTask();
        _ = fetch.Body.ReleaseHoldAsync().AsTask();
    }

    private async Task RunAsync(InFlightFetch fetch)
    {
        await fetch.RunAsync();
        if (fetch.Failure is { Kind: FailureKind.NotFound } failure)
        {
            using ICacheEntry entry = _negative.CreateEntry((fetch.Order.Repository.Cluster, fetch.Order.Key));
            entry.Size = 1;
            entry.AbsoluteExpirationRelativeToNow = s_negativeLifetime;
            entry.Value = failure;
        }

        _inFlight.TryRemove(KeyValuePair.Create(fetch.Order.Key, fetch));
        _running.TryRemove(fetch, out _);
    }

    private void Tick()
    {
        foreach (KeyValuePair<InFlightFetch, byte> fetch in _running)
        {
            fetch.Key.Tick();
        }
    }
}

using System.Collections.Concurrent;
using Breakwater.CacheStore;

namespace Breakwater.Proxy.Fetching;

/// <summary>One fetch per object and scope at a time, however many ask for it, under whatever repository. Thread-safe.</summary>
internal sealed class FetchCoordinator : IDisposable
{
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<(ObjectKey Key, FetchScope Scope), InFlightFetch> _inFlight = new();
    private readonly ConcurrentDictionary<InFlightFetch, byte> _running = new();   // also those that were replaced in _inFlight
    private readonly FetchServices _services;
    private readonly IObjectStore _store;
    private readonly ILogger<InFlightFetch> _log;
    private readonly NotFoundMemory _notFound;
    private readonly ITimer _ticker;

    public FetchCoordinator(FetchServices services, IObjectStore store, ILogger<InFlightFetch> log)
    {
        (_services, _store, _log) = (services, store, log);
        _notFound = new NotFoundMemory(services.Time);
        _ticker = services.Time.CreateTimer(static state => ((FetchCoordinator)state!).Tick(), this, s_tick, s_tick);
    }

    /// <summary>Fetches under way.</summary>
    public IReadOnlyCollection<InFlightFetch> InFlight => [.. _running.Keys];

    /// <summary>Joins the fetch of an object, or starts it.</summary>
    public FetchTicket JoinOrStart(FetchOrder order)
    {
        if (_notFound.Find(order) is { } negative)
        {
            return new FetchTicket(null, null, negative);
        }

        if (order.Scope == FetchScope.Site && _services.NodeLine.Nodes.Before(order.Key).Count == 0)
        {
            // This node's own: whoever asks for it here, client or node, shares one fetch.
            order = order with { Scope = FetchScope.Upstream };
        }

        while (true)
        {
            // Stratum 1s are asked for it already, for another node or since no node answered: that waits for no node.
            if (order.Scope == FetchScope.Site && _inFlight.TryGetValue((order.Key, FetchScope.Upstream), out InFlightFetch? upstream)
                && upstream.TryJoin(order, isLeader: false) is { } behind)
            {
                upstream.Promote(order.Priority, order.Client);
                return new FetchTicket(null, behind, null);
            }

            if (_inFlight.TryGetValue(order.InFlightKey, out InFlightFetch? running))
            {
                if (running.TryJoin(order, isLeader: false) is { } joined)
                {
                    running.Promote(order.Priority, order.Client);
                    return new FetchTicket(null, joined, null);
                }

                // It ended, was given up, can no longer be joined from its beginning, or is asked for in too many ways: it is replaced.
                _inFlight.TryRemove(KeyValuePair.Create(order.InFlightKey, running));
            }

            var fetch = new InFlightFetch(order, _services, _notFound, TryTurnUpstream, JoinOrStart, _log);
            FetchFollower leader = fetch.TryJoin(order, isLeader: true)!;
            if (!_inFlight.TryAdd(order.InFlightKey, fetch))
            {
                Discard(fetch, leader);
                continue;
            }

            // Look again after winning the right to fetch: a fetch that just ended has put the object into the store.
            if (!order.IsReadFromMemory && _store.TryOpen(order.Key, out ObjectLease? lease))
            {
                _inFlight.TryRemove(KeyValuePair.Create(order.InFlightKey, fetch));
                fetch.EndAsStored();
                _ = leader.DisposeAsync().AsTask();
                return new FetchTicket(lease, null, null);
            }

            _running.TryAdd(fetch, 0);
            _ = Task.Run(() => RunAsync(fetch));
            return new FetchTicket(null, leader, null);
        }
    }

    /// <summary>
    /// Joins the fetch that asks Stratum 1s for the object by now; null: there is none. One that asks another node is not joined: that node
    /// may be the one that asks here.
    /// </summary>
    public FetchFollower? TryJoinUpstream(FetchOrder order) =>
        _inFlight.TryGetValue((order.Key, FetchScope.Upstream), out InFlightFetch? running) && running.IsUpstream
            ? running.TryJoin(order, isLeader: false) : null;

    /// <summary>
    /// No node is left for this fetch to ask: from now on it is the one that asks Stratum 1s for its object. False: it is not, since the
    /// object is stored by now, or another fetch asks for it, such as one for another node. Else a node that hangs would cost each object
    /// two requests: that of this node's clients and that of the next node, which was told to ask here.
    /// </summary>
    public bool TryTurnUpstream(InFlightFetch fetch)
    {
        (ObjectKey, FetchScope) key = (fetch.Order.Key, FetchScope.Upstream);
        while (fetch.Order.Scope == FetchScope.Site)
        {
            if (_store.Contains(fetch.Order.Key))
            {
                return false;
            }

            InFlightFetch other = _inFlight.GetOrAdd(key, fetch);
            if (ReferenceEquals(other, fetch))
            {
                return true;
            }

            if (other.IsOpen)
            {
                return false;
            }

            _inFlight.TryRemove(KeyValuePair.Create(key, other));
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ticker.Dispose();
        _notFound.Dispose();
    }

    private static void Discard(InFlightFetch fetch, FetchFollower leader)
    {
        _ = leader.DisposeAsync().AsTask();
        _ = fetch.Body.ReleaseHoldAsync().AsTask();
    }

    private async Task RunAsync(InFlightFetch fetch)
    {
        await fetch.RunAsync();
        _inFlight.TryRemove(KeyValuePair.Create(fetch.Order.InFlightKey, fetch));
        _inFlight.TryRemove(KeyValuePair.Create((fetch.Order.Key, FetchScope.Upstream), fetch));
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

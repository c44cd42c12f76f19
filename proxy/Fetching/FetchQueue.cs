using System.Net;
using Breakwater.Proxy.Access;

namespace Breakwater.Proxy.Fetching;

/// <summary>
/// Bounds what is under way; those who wait are let in by priority, then clients take turns, so that nobody waits behind all that another
/// wants. Thread-safe.
/// </summary>
/// <param name="limit">So many at a time.</param>
/// <param name="prefetchLimit">How many of them may be prefetches, so that demand always finds room.</param>
/// <param name="clusters">
/// Clusters that may be asked; others join as they come. Where there are several, one whose Stratum 1s are silent takes no other's places:
/// its share is bounded as a client's is.
/// </param>
internal sealed class FetchQueue(int limit, int prefetchLimit, params IEnumerable<string> clusters)
{
    private readonly Lock _gate = new();
    private readonly FetchLine[] _waiting = [new(), new(), new()];   // guarded by _gate
    private readonly Dictionary<IPAddress, int> _runningOf = [];     // guarded by _gate
    private readonly Dictionary<string, int> _runningOfCluster =     // guarded by _gate
        clusters.Distinct(StringComparer.OrdinalIgnoreCase).ToDictionary(c => c, _ => 0, StringComparer.OrdinalIgnoreCase);
    private int _running;                                            // guarded by _gate
    private int _prefetching;                                        // guarded by _gate

    /// <summary>
    /// Are there others than those that were named, as clients ask for origins? Then one that is alone is bounded as well, for the next one
    /// that comes, and those of whom nothing is under way are forgotten. Set before use.
    /// </summary>
    public bool AreClustersOpen { get; init; }

    /// <summary>
    /// What is left of a limit for this node, asked each time: nodes come and go. What is under way beyond it goes on. Set before use.
    /// </summary>
    public Func<int, int> ShareOf { get; init; } = static limit => limit;

    /// <summary>Those under way, and those that wait in line, right now.</summary>
    public (int Running, int Waiting) Load
    {
        get
        {
            lock (_gate)
            {
                return (_running, _waiting.Sum(line => line.Count));
            }
        }
    }

    /// <summary>Takes a place, if there is one now; then <see cref="Leave"/> must follow.</summary>
    public bool TryEnter(FetchPlace place)
    {
        lock (_gate)
        {
            if (!MayRunLocked(place))
            {
                return false;
            }

            RunLocked(place);
            return true;
        }
    }

    /// <summary>Waits for a place; <see cref="Leave"/> must follow.</summary>
    /// <exception cref="OperationCanceledException">Cancelled while waiting.</exception>
    public Task EnterAsync(FetchPlace place, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (MayRunLocked(place))
            {
                RunLocked(place);
                return Task.CompletedTask;
            }

            _waiting[(int)place.Priority].Add(place);
            place.Registration = cancellationToken.UnsafeRegister(
                static (state, token) =>
                {
                    (FetchQueue queue, FetchPlace place) = ((FetchQueue, FetchPlace))state!;
                    queue.Cancel(place, token);
                },
                (this, place));
            return place.Entered.Task;
        }
    }

    /// <summary>
    /// Somebody else wants the same. If he is more urgent, the place moves to the end of his line, or counts as his when it runs; it never
    /// moves back. If it waits, or has yet to, on the account of a client that has and waits for more than he does, it goes on his: nobody
    /// waits behind all that another wants.
    /// </summary>
    public void Promote(FetchPlace place, FetchPriority priority, IPAddress? client = null)
    {
        IPAddress account = client is null ? FetchLine.Own : ClientKey.Of(client);
        List<FetchPlace>? entered = null;
        lock (_gate)
        {
            FetchLine line = _waiting[(int)place.Priority];
            bool isMoreUrgent = priority < place.Priority;
            int others = WantedLocked(line, place.Client, place.Cluster) - (place.Node is null ? 0 : 1);
            bool wantsLess = priority == place.Priority && !place.IsRunning && !account.Equals(place.Client)
                && WantedLocked(line, account, place.Cluster) < others;
            if (!isMoreUrgent && !wantsLess)
            {
                return;
            }

            if (place.IsRunning)
            {
                StopLocked(place);
                (place.Priority, place.Client) = (priority, account);
                RunLocked(place);
            }
            else if (place.Node is not null)
            {
                line.Remove(place);
                (place.Priority, place.Client) = (priority, account);
                _waiting[(int)priority].Add(place);
            }
            else
            {
                (place.Priority, place.Client) = (priority, account); // it has yet to enter
            }

            LetInLocked(ref entered);
        }

        entered?.ForEach(e => e.Entered.TrySetResult());
    }

    /// <summary>Gives the place back.</summary>
    public void Leave(FetchPlace place)
    {
        List<FetchPlace>? entered = null;
        lock (_gate)
        {
            StopLocked(place);
            LetInLocked(ref entered);
        }

        entered?.ForEach(e => e.Entered.TrySetResult());
    }

    /// <summary>What an account has under way, which is its share, and in this line.</summary>
    private int WantedLocked(FetchLine line, IPAddress account, string? cluster) =>
        line.CountOf(account, cluster) + (account.Equals(FetchLine.Own) ? 0 : _runningOf.GetValueOrDefault(account));

    private void Cancel(FetchPlace place, CancellationToken token)
    {
        lock (_gate)
        {
            if (place.Node is null)
            {
                return;
            }

            _waiting[(int)place.Priority].Remove(place);
        }

        place.Entered.TrySetCanceled(token);
    }

    private void LetInLocked(ref List<FetchPlace>? entered)
    {
        foreach (FetchLine line in _waiting)
        {
            while (line.TakeNext(MayRunLocked) is { } next)
            {
                RunLocked(next);
                (entered ??= []).Add(next);
            }
        }
    }

    private bool MayRunLocked(FetchPlace place)
    {
        int free = ShareOf(limit) - _running;
        return free > 0
            && (place.Priority != FetchPriority.Prefetch || _prefetching < ShareOf(prefetchLimit))
            && (place.Client.Equals(FetchLine.Own) || ClientShare.Allows(_runningOf.GetValueOrDefault(place.Client), free))
            && (place.Cluster is not { } cluster || (_runningOfCluster.Count <= 1 && !AreClustersOpen)
                || ClientShare.Allows(_runningOfCluster.GetValueOrDefault(cluster), free));
    }

    private void RunLocked(FetchPlace place)
    {
        place.IsRunning = true;
        _running++;
        _prefetching += place.Priority == FetchPriority.Prefetch ? 1 : 0;
        _runningOf[place.Client] = _runningOf.GetValueOrDefault(place.Client) + 1;
        if (place.Cluster is { } cluster)
        {
            _runningOfCluster[cluster] = _runningOfCluster.GetValueOrDefault(cluster) + 1;
        }
    }

    private void StopLocked(FetchPlace place)
    {
        place.IsRunning = false;
        _running--;
        _prefetching -= place.Priority == FetchPriority.Prefetch ? 1 : 0;
        if (place.Cluster is { } cluster && --_runningOfCluster[cluster] == 0 && AreClustersOpen)
        {
            _runningOfCluster.Remove(cluster);
        }

        int left = _runningOf[place.Client] - 1;
        if (left == 0)
        {
            _runningOf.Remove(place.Client);
        }
        else
        {
            _runningOf[place.Client] = left;
        }
    }
}

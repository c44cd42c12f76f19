namespace Breakwater.Proxy.Fetching;

/// <summary>Who goes first when there are more fetches than may run at a time.</summary>
internal enum FetchPriority : byte
{
    /// <summary>A client waits for a catalog, certificate or history: a whole boot waits behind it.</summary>
    Catalog = 0,

    /// <summary>A client waits.</summary>
    Demand = 1,

    /// <summary>Nobody waits yet.</summary>
    Prefetch = 2,
}

/// <summary>Bounds the fetches under way; those who wait are let in by priority, then first come first served. Thread-safe.</summary>
/// <param name="limit">Fetches at a time.</param>
/// <param name="prefetchLimit">How many of them may be prefetches, so that demand always finds room.</param>
internal sealed class FetchQueue(int limit, int prefetchLimit)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Waiter>[] _waiting = [new(), new(), new()];   // guarded by _gate
    private int _running;                                                     // guarded by _gate
    private int _prefetching;                                                 // guarded by _gate

    /// <summary>Fetches under way, and those that wait in line, right now.</summary>
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

    /// <summary>Waits for a place; <see cref="Leave(FetchPriority)"/> must follow.</summary>
    /// <exception cref="OperationCanceledException">Cancelled while waiting.</exception>
    public Task EnterAsync(FetchPriority priority, CancellationToken cancellationToken) => EnterAsync(new FetchPlace(priority), cancellationToken);

    /// <summary>Waits for a place; <see cref="Leave(FetchPlace)"/> must follow.</summary>
    /// <exception cref="OperationCanceledException">Cancelled while waiting.</exception>
    public Task EnterAsync(FetchPlace place, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (MayRunLocked(place.Priority))
            {
                RunLocked(place.Priority);
                place.IsRunning = true;
                return Task.CompletedTask;
            }

            var waiter = new Waiter(place);
            place.Waiter = waiter;
            waiter.Node = _waiting[(int)place.Priority].AddLast(waiter);
            waiter.Registration = cancellationToken.UnsafeRegister(
                static (state, token) =>
                {
                    (FetchQueue queue, Waiter waiter) = ((FetchQueue, Waiter))state!;
                    queue.Cancel(waiter, token);
                },
                (this, waiter));
            return waiter.Entered.Task;
        }
    }

    /// <summary>Somebody more urgent wants the same: the place moves to the end of his line, or counts as his when it runs. Never moves back.</summary>
    public void Promote(FetchPlace place, FetchPriority priority)
    {
        List<Waiter>? entered = null;
        lock (_gate)
        {
            if (priority >= place.Priority)
            {
                return;
            }

            FetchPriority before = place.Priority;
            place.Priority = priority;
            if (place.IsRunning && before == FetchPriority.Prefetch)
            {
                _prefetching--;
            }

            if (place.Waiter is Waiter { Node: { } node } waiter)
            {
                _waiting[(int)before].Remove(node);
                waiter.Node = _waiting[(int)priority].AddLast(waiter);
            }

            LetInLocked(ref entered);
        }

        entered?.ForEach(w => w.Entered.TrySetResult());
    }

    /// <summary>Gives the place back.</summary>
    public void Leave(FetchPlace place)
    {
        FetchPriority priority;
        lock (_gate)
        {
            priority = place.Priority;
            place.IsRunning = false;
        }

        Leave(priority);
    }

    /// <summary>Gives the place back.</summary>
    public void Leave(FetchPriority priority)
    {
        List<Waiter>? entered = null;
        lock (_gate)
        {
            _running--;
            if (priority == FetchPriority.Prefetch)
            {
                _prefetching--;
            }

            LetInLocked(ref entered);
        }

        entered?.ForEach(w => w.Entered.TrySetResult());
    }

    private void Cancel(Waiter waiter, CancellationToken token)
    {
        lock (_gate)
        {
            if (waiter.Node is null)
            {
                return;
            }

            _waiting[(int)waiter.Priority].Remove(waiter.Node);
            waiter.Node = null;
        }

        waiter.Entered.TrySetCanceled(token);
    }

    private void LetInLocked(ref List<Waiter>? entered)
    {
        foreach (LinkedList<Waiter> line in _waiting)
        {
            while (line.First is { } first && MayRunLocked(first.Value.Priority))
            {
                line.RemoveFirst();
                first.Value.Node = null;
                first.Value.Place.IsRunning = true;
                RunLocked(first.Value.Priority);
                (entered ??= []).Add(first.Value);
            }
        }
    }

    private bool MayRunLocked(FetchPriority priority) =>
        _running < limit && (priority != FetchPriority.Prefetch || _prefetching < prefetchLimit);

    private void RunLocked(FetchPriority priority)
    {
        _running++;
        if (priority == FetchPriority.Prefetch)
        {
            _prefetching++;
        }
    }

    private sealed class Waiter(FetchPlace place)
    {
        public FetchPlace Place => place;

        public FetchPriority Priority => place.Priority;

        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public LinkedListNode<Waiter>? Node { get; set; }

        public CancellationTokenRegistration Registration { get; set; }
    }
}

/// <summary>One fetch's place in the line. Its members belong to the <see cref="FetchQueue"/>, guarded by its lock.</summary>
internal sealed class FetchPlace(FetchPriority priority)
{
    /// <summary>How urgent the most urgent of those who want it finds it.</summary>
    public FetchPriority Priority { get; set; } = priority;

    internal bool IsRunning { get; set; }

    internal object? Waiter { get; set; }
}

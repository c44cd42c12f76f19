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

    /// <summary>Waits for a place; <see cref="Leave"/> must follow.</summary>
    /// <exception cref="OperationCanceledException">Cancelled while waiting.</exception>
    public Task EnterAsync(FetchPriority priority, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (MayRunLocked(priority))
            {
                RunLocked(priority);
                return Task.CompletedTask;
            }

            var waiter = new Waiter(priority);
            waiter.Node = _waiting[(int)priority].AddLast(waiter);
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

            foreach (LinkedList<Waiter> line in _waiting)
            {
                while (line.First is { } first && MayRunLocked(first.Value.Priority))
                {
                    line.RemoveFirst();
                    first.Value.Node = null;
                    RunLocked(first.Value.Priority);
                    (entered ??= []).Add(first.Value);
                }
            }
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

    private sealed class Waiter(FetchPriority priority)
    {
        public FetchPriority Priority => priority;

        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public LinkedListNode<Waiter>? Node { get; set; }

        public CancellationTokenRegistration Registration { get; set; }
    }
}

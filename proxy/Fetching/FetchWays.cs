using System.Diagnostics.CodeAnalysis;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Fetching;

/// <summary>
/// Whom a fetch may ask: the ways of all who wait for it, in the order in which they came. One way is asked at a time; the next when it has
/// failed, and beside it when it is silent, so that nobody fails, or waits too long, because of what another asked for. Thread-safe but for
/// <see cref="OpenAsync"/> and what else says so.
/// </summary>
/// <param name="first">The request that started the fetch.</param>
/// <param name="services">What every fetch works with.</param>
/// <param name="notFound">Takes the 404s.</param>
/// <param name="onFailed">Called after one way has failed while others are left: those who came that way want to know.</param>
internal sealed class FetchWays(FetchOrder first, FetchServices services, NotFoundMemory notFound, Action onFailed)
{
    /// <summary>
    /// Who comes by yet another way starts a fetch of his own: nobody can make others wait by asking for one object under names without
    /// end.
    /// </summary>
    public const int MaxWays = 32;

    private readonly Lock _gate = new();
    private readonly List<FetchWay> _ways = [new FetchWay(first)];     // guarded by _gate: those that have not failed
    private TaskCompletionSource _arrival = NewSignal();               // guarded by _gate: a way was added
    private FetchWay? _preferred;                                      // the fetch's own flow only
    private bool _isOver;                                              // guarded by _gate: nothing more is asked
    private long _begun = services.Time.GetTimestamp();

    /// <summary>Is there somebody left to ask who may well be quicker than the one who sends?</summary>
    public bool HasPrompt
    {
        get
        {
            lock (_gate)
            {
                return _ways.Exists(w => IsDueLocked(w) || w.Cursor is { HasPrompt: true });
            }
        }
    }

    /// <summary>How long the first who wait have waited.</summary>
    public TimeSpan Waited => services.Time.GetElapsedTime(Volatile.Read(ref _begun));

    /// <summary>
    /// May a transfer be left for being slow? Once a fetch: where all are slow, because the line is, each change costs.
    /// </summary>
    public bool MayHurry { get; set; } = true;

    /// <summary>The fetch begins to ask.</summary>
    public void Begin() => Volatile.Write(ref _begun, services.Time.GetTimestamp());

    /// <summary>One more request. Null: this fetch does not ask for it; start another.</summary>
    public FetchWay? Join(FetchOrder order)
    {
        lock (_gate)
        {
            FetchWay? way = _ways.Find(w => w.Order.IsSameWay(order));
            if (way is null)
            {
                if (_isOver || _ways.Count >= MaxWays)
                {
                    return null;
                }

                way = new FetchWay(order);
                _ways.Add(way);
                _arrival.TrySetResult();
                _arrival = NewSignal();
            }

            way.Followers++;
            return way;
        }
    }

    /// <summary>A request left. A way that nobody waits for any more is not asked.</summary>
    public void Left(FetchWay way)
    {
        lock (_gate)
        {
            way.Followers--;
            if (!IsWantedLocked(way) && !way.WasAsked)
            {
                _ways.Remove(way);
            }
        }
    }

    /// <summary>
    /// Is a transfer from this way's Stratum 1 in the way of somebody from another cluster, who has waited for as long as one waits for a
    /// first byte?
    /// </summary>
    public bool IsAnotherClusterDue(FetchWay current)
    {
        lock (_gate)
        {
            return UntilDue() <= TimeSpan.Zero
                && _ways.Exists(w => IsDueLocked(w) && w.Order.Repository.Cluster != current.Order.Repository.Cluster);
        }
    }

    /// <summary>Gets a good head from the next Stratum 1 of any way. Null: nobody is left to ask, and no way is added any more.</summary>
    /// <param name="offset">First byte that is wanted.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<FetchAnswer?> OpenAsync(long offset, CancellationToken cancellationToken)
    {
        var asking = new List<Asking>(1);
        using var own = new SemaphoreSlim(1); // the fetch's own place
        long begun = services.Time.GetTimestamp();
        try
        {
            while (true)
            {
                TimeSpan untilLate = services.Options.FirstByteTimeout - services.Time.GetElapsedTime(begun);
                bool isLate = untilLate <= TimeSpan.Zero;
                Task arrival;
                while (TryTakeNext(asking.Count > 0, isLate, out arrival, out FetchWay? next))
                {
                    asking.Add(Start(next, own, offset, cancellationToken));
                }

                if (asking.Count == 0)
                {
                    return null;
                }

                if (await FirstEndedAsync(asking, arrival, isLate ? Timeout.InfiniteTimeSpan : untilLate,
                    cancellationToken) is not { } ended)
                {
                    continue;
                }

                asking.Remove(ended);
                ended.Cancel.Dispose();
                if (await ended.Response is { } response)
                {
                    return new FetchAnswer(ended.Way, response);
                }

                Fail(ended.Way);
            }
        }
        finally
        {
            foreach (Asking left in asking)
            {
                await left.CallOffAsync();
            }
        }
    }

    /// <summary>A Stratum 1 is to answer for a whole body of its own next (the fetch's own flow only).</summary>
    public void Prefer(FetchWay way, Stratum1 stratum1)
    {
        way.Cursor!.RequeueFirst(stratum1);
        _preferred = way;
    }

    /// <summary>Ends the asking, if nobody is left to ask: every way has failed then.</summary>
    public bool TryEnd()
    {
        lock (_gate)
        {
            _isOver |= NextLocked() is null;
            return _isOver;
        }
    }

    /// <summary>Tells every way why nothing came (after <see cref="TryEnd"/>, or when <see cref="OpenAsync"/> found nobody).</summary>
    public UpstreamFailure FailAll()
    {
        FetchWay[] left;
        lock (_gate)
        {
            _isOver = true;
            left = [.. _ways];
        }

        foreach (FetchWay way in left)
        {
            NoteFailed(way);
        }

        return left.Length > 0 ? left[0].Failure! : new UpstreamFailure(FailureKind.Broken, "no Stratum 1 is left to ask");
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private TimeSpan UntilDue() => services.Options.FirstByteTimeout - services.Time.GetElapsedTime(Volatile.Read(ref _begun));

    /// <summary>The first one's way is asked even if nobody waits: small objects are fetched for the store alone.</summary>
    private bool IsWantedLocked(FetchWay way) => way.Followers > 0 || ReferenceEquals(way.Order, first);

    private bool IsDueLocked(FetchWay way) => !way.WasAsked && IsWantedLocked(way);

    private FetchWay? NextLocked() =>
        _ways.Find(w => ReferenceEquals(w, _preferred) && w.Cursor is { HasNext: true })
        ?? _ways.Find(IsDueLocked)
        ?? _ways.Find(w => w.Cursor is { HasNext: true });

    /// <summary>Takes the way to ask now. False: none; when none is being asked either, none will be.</summary>
    private bool TryTakeNext(bool isAsking, bool isLate, out Task arrival, [NotNullWhen(true)] out FetchWay? next)
    {
        lock (_gate)
        {
            arrival = _arrival.Task;
            next = !isAsking ? NextLocked() : isLate ? _ways.Find(IsDueLocked) : null;
            _isOver |= next is null && !isAsking;
            if (next is null)
            {
                return false;
            }

            next.WasAsked = true;
        }

        _preferred = null;
        return true;
    }

    private Asking Start(FetchWay way, SemaphoreSlim own, long offset, CancellationToken cancellationToken)
    {
        if (way.Cursor is null)
        {
            way.Cursor = services.Client.Candidates(way.Order.Repository, way.Order.Hint);
            FetchWay[] others;
            lock (_gate)
            {
                others = [.. _ways];
            }

            foreach (Stratum1 troubled in way.Order.Troubled.Concat(others.SelectMany(w => w.Cursor?.Troubled ?? [])).ToArray())
            {
                way.Cursor.PutLast(troubled);
            }
        }

        var cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        return new Asking(way, AskAsync(way, own, offset, cancel.Token), cancel);
    }

    /// <summary>
    /// One way is asked with the fetch's place. One beside it is a connection more, and waits for a place on the account of who wants it,
    /// or until the fetch's is free: so that names without end for one object cost no more than as many objects.
    /// </summary>
    private async Task<UpstreamResponse?> AskAsync(FetchWay way, SemaphoreSlim own, long offset, CancellationToken cancellationToken)
    {
        bool hasOwn = own.Wait(0, CancellationToken.None);
        FetchPlace? place = null;
        if (!hasOwn)
        {
            (hasOwn, place) = await EnterAsync(way, own, cancellationToken);
        }

        try
        {
            return await services.Client.OpenAsync(HttpMethod.Get, way.Order.UrlPath, offset, way.Cursor!, cancellationToken);
        }
        finally
        {
            if (hasOwn)
            {
                own.Release();
            }

            if (place is not null)
            {
                services.Queue.Leave(place);
            }
        }
    }

    private async Task<(bool HasOwn, FetchPlace? Place)> EnterAsync(FetchWay way, SemaphoreSlim own, CancellationToken cancellationToken)
    {
        var place = new FetchPlace(way.Order.Priority, way.Order.Client, way.Order.Repository.Cluster);
        using var decided = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task first = own.WaitAsync(decided.Token);
        Task second = services.Queue.EnterAsync(place, decided.Token);
        await Task.WhenAny(first, second);
        await decided.CancelAsync();
        await Task.WhenAll(first, second).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        bool hasPlace = second.IsCompletedSuccessfully;
        return !first.IsCompletedSuccessfully && !hasPlace
            ? throw new OperationCanceledException(cancellationToken)
            : (first.IsCompletedSuccessfully, hasPlace ? place : null);
    }

    /// <summary>The first that ended; null when it is time to look again.</summary>
    private async Task<Asking?> FirstEndedAsync(List<Asking> asking, Task arrival, TimeSpan wait, CancellationToken cancellationToken)
    {
        Task any = Task.WhenAny(asking.Select(a => (Task)a.Response).Append(arrival));
        try
        {
            await any.WaitAsync(wait, services.Time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return null;
        }

        return asking.Find(a => a.Response.IsCompleted);
    }

    private void Fail(FetchWay way)
    {
        NoteFailed(way);
        onFailed();
    }

    private void NoteFailed(FetchWay way)
    {
        UpstreamFailure failure = (way.Cursor ?? services.Client.Candidates(way.Order.Repository, way.Order.Hint)).ToFailure();
        if (failure.Kind == FailureKind.NotFound)
        {
            notFound.Remember(way.Order, failure);
        }

        lock (_gate)
        {
            _ways.Remove(way);
            way.Failure = failure;
        }
    }

    /// <summary>A way that is being asked.</summary>
    private sealed record Asking(FetchWay Way, Task<UpstreamResponse?> Response, CancellationTokenSource Cancel)
    {
        /// <summary>Another way has answered first: this one may be asked again, and its cursor is nobody's when this returns.</summary>
        public async ValueTask CallOffAsync()
        {
            await Cancel.CancelAsync();
            await ((Task)Response).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (Response.IsCompletedSuccessfully && Response.Result is { } response)
            {
                Way.Cursor!.PutBack(response.Upstream);
                response.Dispose();
            }

            Cancel.Dispose();
        }
    }
}

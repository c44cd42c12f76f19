namespace Breakwater.Proxy.Threading;

/// <summary>
/// Of all who want the same at the same time one sets to work, and everybody gets what comes of it. The work goes on when those who wait
/// for it leave: wait with <see cref="Task{TResult}.WaitAsync(CancellationToken)"/>. It is over before anybody sees its result, so whoever
/// comes then begins anew. Thread-safe.
/// </summary>
/// <typeparam name="TKey">What is wanted.</typeparam>
/// <typeparam name="TPlace">Goes with the work: where it waits for its turn, so that those who join can make it more urgent.</typeparam>
/// <typeparam name="TResult">What comes of it.</typeparam>
/// <param name="comparer">Compares keys; null: as they compare themselves.</param>
internal sealed class SingleFlight<TKey, TPlace, TResult>(IEqualityComparer<TKey>? comparer = null)
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, (TPlace Place, Task<TResult> Result)> _flights = new(comparer); // guarded by _gate

    /// <summary>How many are under way.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _flights.Count;
            }
        }
    }

    /// <summary>Is work for this key under way?</summary>
    public bool IsUnderWay(TKey key) => TryFind(key, out _);

    /// <summary>The work under way for this key, if there is any.</summary>
    public bool TryFind(TKey key, out (TPlace Place, Task<TResult> Result) flight)
    {
        lock (_gate)
        {
            return _flights.TryGetValue(key, out flight);
        }
    }

    /// <summary>The work under way for this key; if there is none it begins, in the thread pool.</summary>
    /// <param name="key">What is wanted.</param>
    /// <param name="place">Goes with the work, if it begins.</param>
    /// <param name="work">The work.</param>
    /// <param name="isNew">Did it begin?</param>
    public (TPlace Place, Task<TResult> Result) JoinOrStart(TKey key, TPlace place, Func<Task<TResult>> work, out bool isNew)
    {
        lock (_gate)
        {
            isNew = !_flights.TryGetValue(key, out (TPlace Place, Task<TResult> Result) flight);
            if (isNew)
            {
                flight = (place, Task.Run(() => FlyAsync(key, work), CancellationToken.None));
                _flights.Add(key, flight);
            }

            return flight;
        }
    }

    private async Task<TResult> FlyAsync(TKey key, Func<Task<TResult>> work)
    {
        try
        {
            return await work();
        }
        finally
        {
            lock (_gate)
            {
                _flights.Remove(key);
            }
        }
    }
}

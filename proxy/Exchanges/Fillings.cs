using Breakwater.CacheStore;

namespace Breakwater.Proxy.Exchanges;

/// <summary>Fetches of missing parts whose heads have yet to come: one for everybody who misses the same slice. Thread-safe.</summary>
internal sealed class Fillings
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ObjectKey, Task<BodyFeed?>> _tasks = [];   // guarded by _gate; each entry is a request under way

    /// <summary>Waits for the one under way for this slice, or starts it.</summary>
    public Task<BodyFeed?> JoinOrStart(ObjectKey slice, Func<Task<BodyFeed?>> start, CancellationToken cancellationToken)
    {
        Task<BodyFeed?>? task;
        lock (_gate)
        {
            if (!_tasks.TryGetValue(slice, out task))
            {
                task = Task.Run(start, CancellationToken.None);
                _tasks.Add(slice, task);
                _ = task.ContinueWith(_ => Remove(slice), TaskScheduler.Default);
            }
        }

        return task.WaitAsync(cancellationToken);
    }

    private void Remove(ObjectKey slice)
    {
        lock (_gate)
        {
            _tasks.Remove(slice);
        }
    }
}

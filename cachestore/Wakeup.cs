namespace Breakwater.CacheStore;

/// <summary>Wakes a loop that sleeps while there is nothing to do. Set often, it wakes once. Thread-safe.</summary>
internal sealed class Wakeup : IDisposable
{
    private readonly SemaphoreSlim _signal = new(0);

    /// <summary>There is something to do. A loop that has ended meanwhile does not hear it.</summary>
    public void Set()
    {
        try
        {
            if (_signal.CurrentCount == 0)
            {
                _signal.Release();
            }
        }
        catch (ObjectDisposedException)
        {
            // Its owner has closed: whatever had to be done is done, or told, by that.
        }
    }

    /// <summary>Completes when it was set.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => _signal.WaitAsync(cancellationToken);

    /// <summary>Completes when it was set, or the time is over.</summary>
    public Task WaitAsync(TimeSpan most, CancellationToken cancellationToken) => _signal.WaitAsync(most, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _signal.Dispose();
}

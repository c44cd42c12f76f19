namespace Breakwater.CacheStore.Spooling;

/// <summary>One follower's place in a <see cref="GrowingObject"/>. Dispose to leave. Not thread-safe.</summary>
public sealed class GrowingReader : IAsyncDisposable
{
    private long _position;
    private bool _isDisposed;

    internal GrowingReader(GrowingObject body) => Body = body;

    /// <summary>The body that is followed.</summary>
    public GrowingObject Body { get; }

    /// <summary>Everything before it is no longer needed by this follower.</summary>
    public long Position => Volatile.Read(ref _position);

    /// <summary>Says that everything before <paramref name="offset"/> is no longer needed.</summary>
    public void MoveTo(long offset)
    {
        Volatile.Write(ref _position, offset);
        Body.Moved();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return ValueTask.CompletedTask;
        }

        _isDisposed = true;
        Body.Forget(this);
        return Body.ReleaseHoldAsync();
    }
}

namespace Breakwater.TestSupport;

/// <summary>
/// A machine whose wall clock is wrong, or is set: the monotonic time and the timers of another provider, under a wall clock that can be
/// stepped.
/// </summary>
public sealed class SteppedTime(TimeProvider inner) : TimeProvider
{
    private long _stepTicks;

    /// <inheritdoc/>
    public override long TimestampFrequency => inner.TimestampFrequency;

    /// <summary>How far the wall clock is ahead of the other provider's.</summary>
    public TimeSpan Ahead
    {
        get => new(Interlocked.Read(ref _stepTicks));
        set => Interlocked.Exchange(ref _stepTicks, value.Ticks);
    }

    /// <summary>Sets the wall clock.</summary>
    public void SetWall(DateTimeOffset now) => Ahead = now - inner.GetUtcNow();

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => inner.GetUtcNow() + Ahead;

    /// <inheritdoc/>
    public override long GetTimestamp() => inner.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        inner.CreateTimer(callback, state, dueTime, period);
}

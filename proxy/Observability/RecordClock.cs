namespace Breakwater.Proxy.Observability;

/// <summary>Turns timestamps of records into times.</summary>
/// <param name="Time">The clock.</param>
/// <param name="Now">A time.</param>
/// <param name="Timestamp">The timestamp of that time.</param>
internal readonly record struct RecordClock(TimeProvider Time, DateTimeOffset Now, long Timestamp)
{
    /// <summary>The time of a timestamp.</summary>
    public DateTimeOffset At(long timestamp) => Now - Time.GetElapsedTime(timestamp, Timestamp);
}

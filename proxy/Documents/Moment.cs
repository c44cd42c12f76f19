namespace Breakwater.Proxy.Documents;

/// <summary>
/// When something happened, by the monotonic clock of this process and by the wall clock. Its age is the greater of what the two say (ADR
/// 0030): the wall clock may have been set back, the monotonic one stands still while the machine sleeps.
/// </summary>
/// <param name="Timestamp">A <see cref="TimeProvider.GetTimestamp"/>.</param>
/// <param name="Utc">The wall clock then.</param>
internal readonly record struct Moment(long Timestamp, DateTimeOffset Utc)
{
    /// <summary>Greatest age that is told apart: a greater one makes no difference, and would at some time overflow a timestamp.</summary>
    private static readonly TimeSpan s_oldest = TimeSpan.FromDays(3650);

    /// <summary>Now.</summary>
    public static Moment Now(TimeProvider time) => new(time.GetTimestamp(), time.GetUtcNow());

    /// <summary>
    /// A wall time that an earlier process stored. What lies in the future was stored by a clock that was wrong: it counts as long ago.
    /// </summary>
    public static Moment Stored(DateTimeOffset storedAt, TimeProvider time)
    {
        TimeSpan age = time.GetUtcNow() - storedAt;
        TimeSpan bounded = age < TimeSpan.Zero || age > s_oldest ? s_oldest : age;
        return new Moment(time.GetTimestamp() - (long)(bounded.TotalSeconds * time.TimestampFrequency), storedAt);
    }

    /// <summary>How long ago it is; at most ten years.</summary>
    public TimeSpan Age(TimeProvider time)
    {
        TimeSpan elapsed = time.GetElapsedTime(Timestamp);
        TimeSpan byWall = time.GetUtcNow() - Utc;
        TimeSpan age = byWall > elapsed ? byWall : elapsed;
        return age < s_oldest ? age : s_oldest;
    }

    /// <summary>Its wall time by the clock as it stands now: for people, and for the store.</summary>
    public DateTimeOffset ToUtc(TimeProvider time) => time.GetUtcNow() - Age(time);
}

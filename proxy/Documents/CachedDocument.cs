namespace Breakwater.Proxy.Documents;

/// <summary>A document as it came from a Stratum 1; immutable.</summary>
/// <param name="Body">Its bytes.</param>
/// <param name="ContentType">As the Stratum 1 sent it.</param>
/// <param name="Lifetime">How long it is fresh after <paramref name="CheckedAt"/>.</param>
/// <param name="CheckedAt">When we last had it from a Stratum 1: a <see cref="TimeProvider.GetTimestamp"/>, which no step of the wall clock moves (ADR 0030).</param>
/// <param name="InitialAge">The Age with which it came, from caches before us.</param>
/// <param name="Upstream">Host and port that sent it; null when made here.</param>
/// <param name="IsVerified">Its signature was verified (manifest and whitelist only).</param>
internal sealed record CachedDocument(
    ReadOnlyMemory<byte> Body, string ContentType, TimeSpan Lifetime, long CheckedAt, TimeSpan InitialAge, string? Upstream, bool IsVerified = false)
{
    /// <summary>Beyond this an age says nothing more, and would not fit into timestamps for ever.</summary>
    private static readonly TimeSpan s_oldest = TimeSpan.FromDays(3650);

    /// <summary>RFC 9111, 4.2.3, in whole seconds.</summary>
    public long AgeSeconds(TimeProvider time) => Math.Max(0, (long)(InitialAge + time.GetElapsedTime(CheckedAt)).TotalSeconds);

    /// <summary>Was it checked recently enough?</summary>
    public bool IsFresh(TimeProvider time) => time.GetElapsedTime(CheckedAt) < Lifetime;

    /// <summary>When it was checked, by the wall clock as it stands now: for people, and for the store.</summary>
    public DateTimeOffset CheckedAtUtc(TimeProvider time) => time.GetUtcNow() - time.GetElapsedTime(CheckedAt);

    /// <summary>
    /// The moment to take for a check of which an earlier process stored the wall time. What lies in the future was stored by a clock that was wrong: it
    /// counts as never checked.
    /// </summary>
    public static long MomentOf(DateTimeOffset storedAt, TimeProvider time)
    {
        TimeSpan age = time.GetUtcNow() - storedAt;
        TimeSpan bounded = age < TimeSpan.Zero || age > s_oldest ? s_oldest : age;
        return time.GetTimestamp() - (long)(bounded.TotalSeconds * time.TimestampFrequency);
    }
}

using Breakwater.CacheStore;
using Breakwater.CacheStore.Heads;
using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// All that the event loops need to answer a plain GET as the ordinary way did a moment ago: a stored 200 whose body is one slice.
/// Immutable.
/// </summary>
internal sealed class ReadyAnswer
{
    /// <summary>Longest target and host together; and names of fields that stored answers vary by.</summary>
    public const int MaxNameBytes = 512;

    /// <summary>So long it counts. Then the ordinary way looks at everything anew.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(1);

    /// <summary>Both clocks differ by less, unless one was set.</summary>
    private static readonly TimeSpan s_sameClock = TimeSpan.FromSeconds(1);

    /// <summary>Hash of target and host: names that are not the same are told apart by it, almost always.</summary>
    public required int Hash { get; init; }

    /// <summary>The request target, byte by byte.</summary>
    public required byte[] Target { get; init; }

    /// <summary>The field <c>Host</c>; empty where the target names the host.</summary>
    public required byte[] Host { get; init; }

    /// <summary>The target as records have it.</summary>
    public required string TargetText { get; init; }

    /// <summary>Host and port of the origin, as records have it.</summary>
    public required string Upstream { get; init; }

    /// <summary>The settings by which it was given.</summary>
    public required SettingsInForce Settings { get; init; }

    /// <summary>The stored head that it was made of.</summary>
    public required HeadMark Mark { get; init; }

    /// <summary>The name of the flight that would bring a newer answer for a plain request.</summary>
    public required string FlightName { get; init; }

    /// <summary>The same of the flight that asks other nodes.</summary>
    public required string SiteFlightName { get; init; }

    /// <summary>Fields that stored answers of the URI vary by: a request that has one is not plain.</summary>
    public required byte[][] Varying { get; init; }

    /// <summary>All of the body.</summary>
    public required ObjectKey Slice { get; init; }

    /// <summary>Its length, bytes.</summary>
    public required long Length { get; init; }

    /// <summary>Its head.</summary>
    public required ReadyHead Head { get; init; }

    /// <summary>When it came to this cache.</summary>
    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>Its age then.</summary>
    public required TimeSpan AgeAtArrival { get; init; }

    /// <summary>For how long it is fresh.</summary>
    public required TimeSpan Lifetime { get; init; }

    /// <summary>When this was made.</summary>
    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>Is it the answer to this?</summary>
    public bool IsFor(int hash, ReadOnlySpan<byte> target, ReadOnlySpan<byte> host) =>
        hash == Hash && target.SequenceEqual(Target) && host.SequenceEqual(Host);

    /// <summary>The same by the monotonic clock.</summary>
    public required long MadeTimestamp { get; init; }

    /// <summary>Its age at a moment.</summary>
    public TimeSpan Age(DateTimeOffset now) => AgeAtArrival + Freshness.TimeSince(ReceivedAt, now);

    /// <summary>Is it fresh, and was it made a moment ago? Not if the wall clock was set since: then neither is known.</summary>
    /// <param name="now">The wall clock.</param>
    /// <param name="elapsed">Since it was made, by the monotonic clock.</param>
    public bool MayBeUsed(DateTimeOffset now, TimeSpan elapsed) => elapsed < s_longest && now - MadeAt < s_longest
        && (now - MadeAt - elapsed).Duration() < s_sameClock && Age(now) < Lifetime;
}

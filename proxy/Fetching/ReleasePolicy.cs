namespace Breakwater.Proxy.Fetching;

/// <summary>
/// How much of a growing body followers may see before its digest is known (ADR 1). Pure.
/// A client uses nothing before it has all, so holding back costs it nothing, and a body that turns out wrong is never complete anywhere.
/// </summary>
internal static class ReleasePolicy
{
    /// <summary>The end that is held back until the digest matches.</summary>
    public const int HeldBackBytes = 64 << 10;

    /// <summary>Up to this length an object is verified whole before its first byte goes out.</summary>
    public const int SmallBytes = 1 << 20;

    /// <summary>While a body grows quickly, so much at a time: each release wakes all followers.</summary>
    public const int StepBytes = 64 << 10;

    /// <summary>A body that is whole within this time is verified before its first byte, whatever its length.</summary>
    private static readonly TimeSpan s_quick = TimeSpan.FromSeconds(1);

    /// <summary>After this time it can be told how long the rest will take.</summary>
    private static readonly TimeSpan s_glance = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// So many followers take time of their own to be served: they begin as soon as it can be told that the body takes long.
    /// </summary>
    private const int Crowd = 32;

    /// <summary>A small object that takes longer is streamed after all: a client that hears nothing for 5 s leaves the proxy.</summary>
    private static readonly TimeSpan s_slow = TimeSpan.FromSeconds(3);

    /// <summary>How many of the bytes at hand followers may see.</summary>
    /// <param name="appended">Bytes at hand.</param>
    /// <param name="length">Length of the object; null when the Stratum 1 did not tell: then it is buffered as long as can be.</param>
    /// <param name="elapsed">Time since the fetch began.</param>
    /// <param name="followers">How many wait for it.</param>
    /// <param name="isForNode">Another node is among them: it judges the digest by itself, and holds the end back as well.</param>
    public static long Released(long appended, long? length, TimeSpan elapsed, int followers, bool isForNode = false)
    {
        bool mayStream = isForNode || (length is { } known && known > SmallBytes
            ? elapsed >= s_quick
            || (followers >= Crowd && elapsed >= s_glance && elapsed * ((double)known / Math.Max(1, appended)) > s_quick)
            : elapsed >= s_slow);
        return mayStream ? Math.Max(0, appended - HeldBackBytes) : 0;
    }
}

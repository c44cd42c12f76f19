namespace Breakwater.ClusterSim;

/// <summary>The simulation's clock: it stands still but for <see cref="Now"/>. Microseconds.</summary>
internal sealed class VirtualTime : TimeProvider
{
    /// <summary>Microseconds since the beginning.</summary>
    public long Now { get; set; }

    /// <inheritdoc/>
    public override long TimestampFrequency => 1_000_000;

    /// <inheritdoc/>
    public override long GetTimestamp() => Now;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + TimeSpan.FromMicroseconds(Now);
}

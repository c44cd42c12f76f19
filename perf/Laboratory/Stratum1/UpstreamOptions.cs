namespace Breakwater.Laboratory.Stratum1;

/// <summary>How the emulated Stratum 1 behaves. May be replaced while it runs.</summary>
internal sealed record UpstreamOptions
{
    /// <summary>From the end of a request to the first byte of its answer.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Added to <see cref="Delay"/>: uniform between 0 and this, by seed.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>Of one answer's body; 0 is as fast as it goes.</summary>
    public long BytesPerSecond { get; init; }

    /// <summary>Which answers go wrong.</summary>
    public FaultPlan Faults { get; init; } = FaultPlan.Nothing;

    /// <summary>max-age of <c>.cvmfs*</c> files. A Stratum 1 says 61 s.</summary>
    public TimeSpan DocumentMaxAge { get; init; } = TimeSpan.FromSeconds(61);

    /// <summary>max-age of objects. A Stratum 1 says 3 days.</summary>
    public TimeSpan ObjectMaxAge { get; init; } = TimeSpan.FromDays(3);
}

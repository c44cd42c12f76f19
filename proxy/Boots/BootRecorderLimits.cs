namespace Breakwater.Proxy.Boots;

/// <summary>How boots are recorded.</summary>
internal sealed record BootRecorderLimits
{
    /// <summary>How long a boot is recorded from its first request on. Default 5 min.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Silence after which what was read is handed out: the boot is over, or paused. Default 20 s.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Boots of one repository recorded at the same time; of a storm the first few say enough. Default 8.</summary>
    public int MaxBootsAtOnce { get; init; } = 8;

    /// <summary>
    /// Clients of one repository that are followed until they have read enough to be boots: a storm's first, and those that only look at
    /// the manifest. Default 128.
    /// </summary>
    public int MaxLooksAtOnce { get; init; } = 128;

    /// <summary>Objects recorded of one boot. Default 100,000.</summary>
    public int MaxReads { get; init; } = 100_000;

    /// <summary>Fewer objects than this are not a boot but a look at the manifest or a few files. Default 10.</summary>
    public int MinReads { get; init; } = 10;
}

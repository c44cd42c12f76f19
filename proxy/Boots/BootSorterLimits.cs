namespace Breakwater.Proxy.Boots;

/// <summary>How many boots a <see cref="BootSorter{TBoot}"/> follows.</summary>
internal sealed record BootSorterLimits
{
    /// <summary>Boots followed at once. Beyond it the oldest ends. Default 12,000.</summary>
    public int MaxBoots { get; init; } = 12_000;

    /// <summary>Boots of one address and repository followed at once: VMs behind one NAT. Beyond it the oldest ends. Default 64.</summary>
    public int MaxBootsOfAddress { get; init; } = 64;

    /// <summary>
    /// Connections of a boot that are remembered; what comes on others is assigned by its object alone. A VM has up to 16. Default 32.
    /// </summary>
    public int MaxConnections { get; init; } = 32;

    /// <summary>
    /// Memory for the objects that the boots have asked for, bytes. Beyond it the oldest boot ends. Default 32 MiB: 5,000 boots of 500
    /// objects.
    /// </summary>
    public long MaxSeenBytes { get; init; } = 32 << 20;
}

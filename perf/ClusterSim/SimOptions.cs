namespace Breakwater.ClusterSim;

/// <summary>One run.</summary>
internal sealed record SimOptions
{
    /// <summary>Nodes at the beginning.</summary>
    public required int Nodes { get; init; }

    /// <summary>Machines that boot.</summary>
    public required int Vms { get; init; }

    /// <summary>What happens after a third of <see cref="ArrivalSeconds"/>.</summary>
    public required Fault Fault { get; init; }

    /// <summary>Boots begin evenly over this time.</summary>
    public int ArrivalSeconds { get; init; } = 60;

    /// <summary>Images that are booted; how often follows Zipf's law.</summary>
    public int Images { get; init; } = 30;

    /// <summary>Objects of an image, as many as minios reads.</summary>
    public int ObjectsOfImage { get; init; } = 403;

    /// <summary>Objects beside the images, that a boot reads here and there; Zipf's law.</summary>
    public int OtherObjects { get; init; } = 20_000;

    /// <summary>After so many reads of its image a boot reads one of the others.</summary>
    public int OtherEvery { get; init; } = 40;

    /// <summary>Its arrivals, sizes and choices; the same seed is the same run.</summary>
    public int Seed { get; init; } = 22;
}

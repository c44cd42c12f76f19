namespace Breakwater.Proxy.Commands.Demo;

/// <summary>What the user asked <c>breakwater demo</c> for.</summary>
internal sealed record DemoOptions
{
    /// <summary>VMs that boot at once, at least 1.</summary>
    public required int Vms { get; init; }

    /// <summary>Emulated round-trip time to the Stratum 1: every one of its answers is that late.</summary>
    public required TimeSpan RoundTrip { get; init; }

    /// <summary>JSON on standard output instead of a table.</summary>
    public required bool Json { get; init; }

    /// <summary>Boot one machine with this image instead of a storm; null: the storm.</summary>
    public string? Image { get; init; }
}

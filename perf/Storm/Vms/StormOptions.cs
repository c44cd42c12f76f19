using System.Net;
using Breakwater.Laboratory.Client;
using Breakwater.Storm.Client;

namespace Breakwater.Storm.Vms;

/// <summary>One storm.</summary>
internal sealed record StormOptions
{
    /// <summary>How many VMs.</summary>
    public required int Vms { get; init; }

    /// <summary>Number of the first: storms of several processes have VMs of their own.</summary>
    public int FirstVm { get; init; }

    /// <summary>Are the proxies on loopback? Else VMs have addresses that the network namespace must be given.</summary>
    public bool IsLoopback { get; init; } = true;

    /// <summary>What each of them reads.</summary>
    public required BootTrace Trace { get; init; }

    /// <summary>Stratum 1s in the VM's order.</summary>
    public required IReadOnlyList<IPEndPoint> Hosts { get; init; }

    /// <summary>Proxies in the VM's order; null is DIRECT.</summary>
    public required IReadOnlyList<IPEndPoint?> Proxies { get; init; }

    /// <summary>Requests to a proxy in absolute-form, as CernVM-FS does; else in origin-form, as to a reverse proxy.</summary>
    public bool IsForward { get; init; } = true;

    /// <summary>Connections of one VM at most: 1 to 16.</summary>
    public int ConnectionsPerVm { get; init; } = 1;

    /// <summary>Patience.</summary>
    public ClientProfile Profile { get; init; } = ClientProfile.Micro;

    /// <summary>
    /// Counts the VMs that would have left a slow proxy, but lets them wait: so that storms through a slow proxy can be compared.
    /// </summary>
    public bool WaitsForever { get; init; }

    /// <summary>What happens to bodies.</summary>
    public BodyMode Mode { get; init; } = BodyMode.Drop;

    /// <summary>Start of each VM after the storm's start.</summary>
    public string ArrivalCurve { get; init; } = "once";

    /// <summary>Each VM from a loopback address of its own; off only where the proxy accepts 127.0.0.1 alone.</summary>
    public bool OwnAddresses { get; init; } = true;

    /// <summary>The storm ends then, finished or not.</summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromMinutes(4);

    /// <summary>Event loops, each with a share of the VMs.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Of arrivals and pauses.</summary>
    public int Seed { get; init; } = 1;
}

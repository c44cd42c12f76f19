namespace Breakwater.ClusterSim;

/// <summary>How long things take, in microseconds: the settings that ship, and a site's network.</summary>
internal static class Times
{
    /// <summary><c>Cluster:ProbeInterval</c>.</summary>
    public const long ProbeInterval = 2_000_000;

    /// <summary><c>Cluster:ProbeTimeout</c>.</summary>
    public const long ProbeTimeout = 5_000_000;

    /// <summary><c>Cluster:ProbeFailures</c>.</summary>
    public const int ProbeFailures = 3;

    /// <summary><c>Cluster:HeadTimeout</c>: the owner; the second has half as long.</summary>
    public const long HeadTimeout = 1_000_000;

    /// <summary><c>Proxy:MaxConcurrentFetches</c> of the site.</summary>
    public const int MaxConcurrentFetches = 256;

    /// <summary>One way between two nodes.</summary>
    public const long Hop = 150;

    /// <summary>To a Stratum 1 and back.</summary>
    public const long Upstream = 30_000;

    /// <summary>A machine's own work between two reads, and the network to its proxy.</summary>
    public const long Think = 20_000;

    /// <summary>After so long without an answer a CernVM-FS client asks its next proxy.</summary>
    public const long VmTimeout = 5_000_000;

    /// <summary>Bytes in a microsecond from a Stratum 1.</summary>
    public const long UpstreamRate = 20;

    /// <summary>Bytes in a microsecond between nodes: 10 Gbit/s.</summary>
    public const long NodeRate = 1_250;

    /// <summary>Bytes in a microsecond to a machine: 1 Gbit/s.</summary>
    public const long VmRate = 125;
}

namespace Breakwater.Proxy.Boots;

/// <summary>What a moment of a boot was spent on.</summary>
internal enum TimeUse : byte
{
    /// <summary>The VM asked for nothing: it worked, or paused.</summary>
    Between,

    /// <summary>The answer came from memory.</summary>
    Memory,

    /// <summary>From disk.</summary>
    Disk,

    /// <summary>From a fetch that another VM had started.</summary>
    Joined,

    /// <summary>From a Stratum 1.</summary>
    Upstream,

    /// <summary>It was refused, failed or left: no content came.</summary>
    Nothing,
}

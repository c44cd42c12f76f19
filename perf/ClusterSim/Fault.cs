namespace Breakwater.ClusterSim;

/// <summary>What happens in the middle of the storm.</summary>
internal enum Fault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>A node is killed and does not come back, nor does its store.</summary>
    Kill,

    /// <summary>A node stands still for 20 s: it takes connections and says nothing.</summary>
    Hang,

    /// <summary>A node joins, with an empty store.</summary>
    Join,

    /// <summary>One after the other each node, ten at most, is drained, is away for 3 s and comes back with its store.</summary>
    RollingRestart,

    /// <summary>Two nodes are killed at the same moment.</summary>
    TwoDead,
}

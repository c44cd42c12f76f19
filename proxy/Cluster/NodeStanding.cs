namespace Breakwater.Proxy.Cluster;

/// <summary>How a listed node stands, as this node sees it.</summary>
internal enum NodeStanding : byte
{
    /// <summary>It has not answered yet.</summary>
    NotSeenYet,

    /// <summary>It answers: a member of the ring.</summary>
    Alive,

    /// <summary>It answers that it is about to stop, or has left by an operator's word.</summary>
    Leaving,

    /// <summary>It has failed several probes in a row.</summary>
    Dead,

    /// <summary>It is of another site, speaks another version, or is no node at all.</summary>
    Foreign,

    /// <summary>Another one with its id is in the ring.</summary>
    Duplicate,
}

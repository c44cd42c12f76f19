namespace Breakwater.Proxy.Upstreams;

/// <summary>What is known of a Stratum 1 since the start.</summary>
internal enum Stratum1State : byte
{
    /// <summary>Neither a fetch nor a probe has asked it yet.</summary>
    NotAskedYet,

    /// <summary>It answered when it was asked last.</summary>
    Answers,

    /// <summary>It failed when it was asked last, and is still asked in its turn.</summary>
    Failing,

    /// <summary>It failed so often that it is asked after all others.</summary>
    AskedLast,
}

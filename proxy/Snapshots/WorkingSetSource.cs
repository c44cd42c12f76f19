namespace Breakwater.Proxy.Snapshots;

/// <summary>Where a working set comes from.</summary>
internal enum WorkingSetSource
{
    /// <summary>From boots that this proxy served.</summary>
    Learned,

    /// <summary>From a list or a trace that an operator handed in.</summary>
    Given,

    /// <summary>From the repository itself (<c>.ucernvm_pinfiles</c>).</summary>
    Repository,
}

namespace Breakwater.Proxy.Settings;

/// <summary>Section <c>Seeds</c>: what seed bundles bring.</summary>
internal sealed class SeedOptions
{
    /// <summary>
    /// Serve the repositories that imported seeds bring, without their being in <c>Repositories</c>. Default false: with a network a site
    /// says which repositories it serves. With <c>Proxy:Offline</c> they are served in any case.
    /// </summary>
    public bool Serve { get; set; }

    /// <summary>
    /// Seed bundles that this machine has: imported at the start, at a reload and when a file changes. One that is taken out of the list is
    /// removed. Full paths; default none.
    /// </summary>
    public string[] Files { get; set; } = [];

    /// <summary>Takes over changed settings, for all who have these.</summary>
    public void Take(SeedOptions changed) => (Serve, Files) = (changed.Serve, changed.Files);
}

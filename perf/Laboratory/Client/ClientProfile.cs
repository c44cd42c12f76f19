namespace Breakwater.Laboratory.Client;

/// <summary>How patient a client is set up.</summary>
/// <param name="Name">For reports.</param>
/// <param name="Retries">CVMFS_MAX_RETRIES.</param>
internal sealed record ClientProfile(string Name, int Retries)
{
    /// <summary>CernVM-FS as installed: one retry.</summary>
    public static ClientProfile Stock { get; } = new("stock", 1);

    /// <summary>Micro-CernVM: none, and whoever leaves the proxy stays away for a day.</summary>
    public static ClientProfile Micro { get; } = new("micro", 0);
}

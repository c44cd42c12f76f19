namespace Breakwater.Proxy.Settings;

/// <summary>
/// One repository or domain in section <c>Repositories</c>: the key is a name (<c>atlas.cern.ch</c>) or a domain (<c>*.cern.ch</c>).
/// A repository that no key matches is refused.
/// </summary>
internal sealed class RepositoryOptions
{
    /// <summary>The YARP cluster (<c>ReverseProxy:Clusters</c>) whose destinations are the repository's Stratum 1s.</summary>
    public string? Cluster { get; set; }
}

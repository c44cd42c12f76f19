using Breakwater.Proxy.Access;

namespace Breakwater.Proxy.Settings;

/// <summary>Stratum 1s that are asked directly though the cluster has a parent proxy. Immutable in use.</summary>
/// <param name="patterns">Hosts and domains, of any port where none is given.</param>
internal sealed class ParentBypass(IEnumerable<string> patterns) : HostPatterns(patterns, AnyPort)
{
    private const int AnyPort = 0;

    /// <summary>Is this one of them?</summary>
    public static bool IsPattern(string text) => TryParse(text, AnyPort, out _);

    /// <summary>Is this server asked directly?</summary>
    public bool Covers(Uri server) => Allows(server.IdnHost, server.Port);
}

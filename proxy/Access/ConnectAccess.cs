namespace Breakwater.Proxy.Access;

/// <summary>To which hosts a client may open a tunnel by CONNECT.</summary>
internal sealed class ConnectAccess(IEnumerable<string> patterns) : HostPatterns(patterns, DefaultPort)
{
    /// <summary>That of https.</summary>
    public const int DefaultPort = 443;
}

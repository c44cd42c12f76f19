namespace Breakwater.Proxy.Access;

/// <summary>Which hosts besides CernVM-FS may be asked through the proxy by GET and HEAD.</summary>
internal sealed class DestinationAccess(IEnumerable<string> patterns) : HostPatterns(patterns, DefaultPort)
{
    /// <summary>That of http.</summary>
    public const int DefaultPort = 80;
}

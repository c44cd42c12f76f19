namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// The parent proxy could not be reached, or refused by itself: no Stratum 1 is to blame. The message is for people and names the parent.
/// </summary>
internal sealed class ParentProxyException(string message, Exception? cause = null) : HttpRequestException(message, cause);

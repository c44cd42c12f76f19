namespace Breakwater.Proxy.Requests;

/// <summary>What a request of ordinary HTTP asks for, and whom.</summary>
/// <param name="Uri">The name under which its answer is kept; see <see cref="CacheUri"/>.</param>
/// <param name="Upstreams">The URLs that are really asked: the origin's first, then those of its mirrors.</param>
/// <param name="HostField">What the origin gets as <c>Host</c>.</param>
/// <param name="IsConfigured">The settings name the origin; false: the client named it.</param>
internal sealed record ExchangeTarget(string Uri, IReadOnlyList<Uri> Upstreams, string HostField, bool IsConfigured)
{
    /// <summary>
    /// The request target and the field <c>Host</c> by which another node of the site finds the same, by its own settings.
    /// </summary>
    public (string Target, string Host) Asked { get; init; }

    /// <summary>Does another node of the site ask? Then no node is asked again.</summary>
    public bool IsForNode { get; init; }
}

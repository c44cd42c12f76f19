namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// The proxies that a request has come through. It flows with the work that the request causes, as the span of a trace does, so that
/// whatever is asked of a Stratum 1 on its behalf carries it on, and a proxy further up can see that it has asked itself.
/// </summary>
/// <param name="Via">The client's <c>Via</c>, or null.</param>
/// <param name="CdnLoop">The client's <c>CDN-Loop</c>, or null.</param>
internal sealed record ForwardedChain(string? Via, string? CdnLoop)
{
    private static readonly AsyncLocal<ForwardedChain?> s_current = new();

    /// <summary>Of the request for which the present work is done; null when it came from no proxy, or from no request.</summary>
    public static ForwardedChain? Current
    {
        get => s_current.Value;
        set => s_current.Value = value;
    }
}

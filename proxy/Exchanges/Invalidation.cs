using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Exchanges;

/// <summary>Which stored answers a changing request makes useless (RFC 9111, 4.4). Pure.</summary>
internal static class Invalidation
{
    /// <summary>The URIs: the one that was asked, and those of the same host that the answer names.</summary>
    public static IEnumerable<string> Of(ExchangeTarget target, HeaderFields answer) =>
        new[] { target.Uri, Resolve(target, answer.Only("Location")),
            Resolve(target, answer.Only("Content-Location")) }.OfType<string>().Distinct();

    /// <summary>Does the answer say that it is what is at the URI itself?</summary>
    public static bool IsOfItself(ExchangeTarget target, HeaderFields answer) =>
        Resolve(target, answer.Only("Content-Location")) == target.Uri;

    /// <summary>The name of a reference to the same host; null: none, or of another host, which nobody here speaks for.</summary>
    private static string? Resolve(ExchangeTarget target, string? reference)
    {
        string url = CacheUri.Url(target.Uri).ToString();
        if (reference is null || !Uri.TryCreate(url, UriKind.Absolute, out Uri? asked)
            || !Uri.TryCreate(asked, reference, out Uri? named) || !named.Scheme.StartsWith("http", StringComparison.Ordinal))
        {
            return null;
        }

        bool isSame = named.Host.Equals(asked.Host, StringComparison.OrdinalIgnoreCase) && named.Port == asked.Port;
        bool isOfOrigin = target.Upstreams.Any(upstream => upstream.Authority.Equals(named.Authority, StringComparison.OrdinalIgnoreCase));
        string prefix = target.Uri[..(target.Uri.Length - url.Length)];
        return isSame || isOfOrigin ? prefix + CacheUri.Of(asked.Host.Trim('[', ']'), asked.Port, named.PathAndQuery) : null;
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Pipeline;

/// <summary>
/// Whose a request of ordinary HTTP is: a site's of <c>Http:Sites</c>, in origin form or by its name, or a destination's of
/// <c>Access:Destinations</c>. What is below
/// <c>/cvmfs/</c> is CernVM-FS, whatever the host.
/// </summary>
internal sealed class ExchangeRouting(DestinationAccess destinations, HttpPolicy policy)
{
    private static readonly UriCreationOptions s_asWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <summary>Finds it. False: no ordinary HTTP, or nobody's that is allowed.</summary>
    /// <param name="rawTarget">The request target as it came.</param>
    /// <param name="host">The field <c>Host</c>; empty when there is none.</param>
    /// <param name="target">What to ask, and whom.</param>
    public bool TryRoute(string rawTarget, string host, [NotNullWhen(true)] out ExchangeTarget? target)
    {
        HttpPolicy.Snapshot http = policy.Current;
        target = null;
        if (rawTarget.StartsWith('/'))
        {
            return http.HasSites && DestinationTarget.TryParseOriginForm(rawTarget, host, out DestinationTarget named)
                && TrySite(http.SiteOrAny(named.Host), named, out target);
        }

        if ((destinations.IsEmpty && !http.HasSites) || !DestinationTarget.TryParse(rawTarget, out DestinationTarget asked))
        {
            return false;
        }

        // A site's name leads to its origin, in whichever form it is asked for.
        return TrySite(http.Site(asked.Host), asked, out target) || TryDestination(asked, out target);
    }

    private static bool TrySite(HttpSite? site, DestinationTarget asked, [NotNullWhen(true)] out ExchangeTarget? target)
    {
        target = null;
        if (site is null || IsCvmfs(asked) || (site.HasFolder && LenientPath.MayClimbOut(asked.PathAndQuery)))
        {
            return false;
        }

        IReadOnlyList<Uri> upstreams = site.Upstreams(asked.PathAndQuery);
        string host = asked.Host.Length > 0 ? HostField(asked) : upstreams[0].Authority;
        target = new ExchangeTarget(CacheUri.OfSite(asked.Host, asked.Port, asked.PathAndQuery), upstreams, host, IsConfigured: true)
        {
            Asked = (asked.PathAndQuery, asked.Authority),
        };
        return true;
    }

    private bool TryDestination(DestinationTarget asked, [NotNullWhen(true)] out ExchangeTarget? target)
    {
        target = null;
        if (!destinations.Allows(asked.Host, asked.Port) || IsCvmfs(asked))
        {
            return false;
        }

        string name = CacheUri.Of(asked.Host, asked.Port, asked.PathAndQuery);
        string url = asked.Url;
        target = new ExchangeTarget(name, [new Uri(url, s_asWritten)], HostField(asked), IsConfigured: false)
        {
            Asked = (url, asked.Authority),
        };
        return true;
    }

    private static bool IsCvmfs(DestinationTarget asked) => LenientPath.MayLeadBelow(asked.PathAndQuery, "cvmfs");

    private static string HostField(DestinationTarget asked)
    {
        string host = asked.Host.Contains(':', StringComparison.Ordinal) ? $"[{asked.Host}]" : asked.Host;
        return asked.Port == DestinationAccess.DefaultPort ? host : string.Create(CultureInfo.InvariantCulture, $"{host}:{asked.Port}");
    }
}

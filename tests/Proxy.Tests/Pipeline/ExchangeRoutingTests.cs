using Breakwater.Proxy.Access;
using Breakwater.Proxy.Pipeline;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Tests.Pipeline;

public sealed class ExchangeRoutingTests
{
    private static readonly ExchangeRouting s_routing = new(
        new DestinationAccess(["*.example.net:*", "plain.example.com", "[::1]:81", "site.example.com:*"]),
        new HttpPolicy(new HttpOptions
        {
            Sites = new Dictionary<string, SiteOptions>
            {
                ["site.example.com"] = new() { Origin = "http://origin:81/r", Mirrors = ["https://mirror/"] },
                ["*"] = new() { Origin = "http://any" },
            },
        }));

    [Theory]
    [InlineData("http://A.example.net:99/x?y", "", "http://a.example.net:99/x?y", "A.example.net:99", "http://a.example.net:99/x?y")]
    [InlineData("http://plain.example.com", "", "http://plain.example.com/", "plain.example.com", "http://plain.example.com/")]
    [InlineData("http://[::1]:81/%7ea/../b", "", "http://[::1]:81/~a/../b", "[::1]:81", "http://[::1]:81/%7ea/../b")]
    [InlineData("/x", "Site.example.com", "site:http://site.example.com/x", "Site.example.com", "http://origin:81/r/x")]
    [InlineData("/x", "site.example.com:80", "site:http://site.example.com/x", "site.example.com", "http://origin:81/r/x")]
    [InlineData("/x", "site.example.com:8080", "site:http://site.example.com:8080/x", "site.example.com:8080", "http://origin:81/r/x")]
    [InlineData("http://site.example.com:7/x", "a", "site:http://site.example.com:7/x", "site.example.com:7", "http://origin:81/r/x")]
    [InlineData("/x", "plain.example.com", "site:http://plain.example.com/x", "plain.example.com", "http://any/x")]
    [InlineData("/a/../x?..", "site.example.com:9", "site:http://site.example.com:9/a/../x?..", "site.example.com:9",
        "http://origin:81/r/a/../x?..")]
    [InlineData("/../x", "plain.example.com", "site:http://plain.example.com/../x", "plain.example.com", "http://any/../x")]
    [InlineData("//x", "", "site:http:////x", "any", "http://any//x")]
    public void Target_OfADestinationOrSite_IsNamedAndAskedOf(string target, string host, string name, string hostField, string upstream)
    {
        Assert.True(s_routing.TryRoute(target, host, out ExchangeTarget? found));

        Assert.Equal((name, hostField, upstream), (found.Uri, found.HostField, found.Upstreams[0].AbsoluteUri));
        Assert.Equal(name.StartsWith("site:", StringComparison.Ordinal), found.IsConfigured);
    }

    [Theory]
    [InlineData("http://example.net/", "")]
    [InlineData("http://plain.example.com:81/", "")]
    [InlineData("https://plain.example.com/", "")]
    [InlineData("http://plain.example.com/cvmfs/a/b", "")]
    [InlineData("http://plain.example.com/a/%2e%2e/cvmfs/a", "")]
    [InlineData("http://plain.example.com/a%2f..%2fcvmfs/a", "")]
    [InlineData("http://plain.example.com/a/%2e%2e%2fcvmfs/a", "")]
    [InlineData("http://plain.example.com/.%2fcvmfs/a", "")]
    [InlineData("http://plain.example.com/a%2F%2E%2E%2F/cvmfs/a", "")]
    [InlineData("http://plain.example.com/a%2fb/../cvmfs/a", "")] // by who resolves first
    [InlineData("http://plain.example.com/a%5c..%5ccvmfs/a", "")]
    [InlineData("/%63vmfs/a", "site.example.com")]
    [InlineData("/../private", "site.example.com")] // beside the folder of its origin
    [InlineData("/x/../../private", "site.example.com")]
    [InlineData("/%2e%2e/private", "site.example.com")]
    [InlineData("/..%2fprivate", "site.example.com")]
    [InlineData("/a%2fb/../../private", "site.example.com")]
    [InlineData("/..", "site.example.com")]
    [InlineData("/x#f", "site.example.com")]
    [InlineData("/x", "site.example.com/y")]
    [InlineData("/x", "u@site.example.com")]
    [InlineData("*", "site.example.com")]
    public void Target_OfNobodyOrOfARepository_IsNot(string target, string host) => Assert.False(s_routing.TryRoute(target, host, out _));

    /// <summary>What a client makes of <c>Host</c> in origin form is never kept under the name of the host itself.</summary>
    [Fact]
    public void Names_OfSitesAndDestinations_AreNeverTheSame()
    {
        Assert.True(s_routing.TryRoute("/x", "a.example.net", out ExchangeTarget? site));
        Assert.True(s_routing.TryRoute("http://a.example.net/x", "", out ExchangeTarget? destination));

        Assert.NotEqual(site.Uri, destination.Uri);
    }
}

using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Mount.Tests;

/// <summary>How settings become ways, and how long a way rests that failed.</summary>
public sealed class RouteChoiceTests
{
    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData("s1", "http://s1/cvmfs/a.example.org")]
    [InlineData("s1,http://s2:8000/", "http://s1/cvmfs/a.example.org http://s2:8000/cvmfs/a.example.org")]
    [InlineData(" s1 ; ; s2|s3 ", "http://s1/cvmfs/a.example.org http://s2/cvmfs/a.example.org http://s3/cvmfs/a.example.org")]
    [InlineData("http://s1/x/@fqrn@/", "http://s1/x/a.example.org")]
    [InlineData("http://s1/x/a.example.org", "http://s1/x/a.example.org")]
    [InlineData("http://s1/x/ba.example.org", "http://s1/x/ba.example.org/cvmfs/a.example.org")]
    [InlineData("", "")]
    public void Parse_OfServers_AreTheirAddressesWithTheName(string servers, string expected)
    {
        List<Route> routes = Routes.Parse("a.example.org", servers, "");
        Assert.Equal(expected, string.Join(' ', routes.Select(route => route.Server)));
        Assert.All(routes, route => Assert.Null(route.Proxy));
    }

    [Fact]
    public void Parse_OfProxies_TakesDirectInAnyCaseAndAddressesWithScheme() => Assert.Equal(
        [new Uri("http://p1:3128"), null, new Uri("http://p2")],
        Routes.Parse("a.example.org", "s1", "p1:3128|direct;http://p2").Select(route => route.Proxy));

    [Fact]
    public void InOrder_ForTenSecondsAfterAFailure_HasTheRouteLast()
    {
        List<Route> all = Routes.Parse("a.example.org", "s1", "p1:1;p2:2;p3:3");
        var routes = new Routes(all, _time);
        routes.Failed(all[1]);
        Assert.Equal([all[0], all[2], all[1]], routes.InOrder());
        _time.Advance(TimeSpan.FromSeconds(4));
        routes.Failed(all[0]);
        Assert.Equal([all[2], all[0], all[1]], routes.InOrder());
        _time.Advance(TimeSpan.FromSeconds(6) - TimeSpan.FromTicks(1));
        Assert.Equal([all[2], all[0], all[1]], routes.InOrder());
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal([all[1], all[2], all[0]], routes.InOrder());
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(all, routes.InOrder());
    }

    /// <summary>A route that only looks the same is not one of these: it is that of somebody who has other settings.</summary>
    [Fact]
    public void Failed_OfARouteOfSomebodyElse_ChangesNothing()
    {
        List<Route> all = Routes.Parse("a.example.org", "s1", "p1:1;p2:2");
        var routes = new Routes(all, _time);
        routes.Failed(all[0] with { });
        Assert.Equal(all, routes.InOrder());
    }

    [Theory]
    [InlineData("function FindProxyForURL(u, h) { return (\"HTTP p1:3128\"); }", "http://p1:3128")]
    [InlineData("/* if (x) */ function FindProxyForURL(u, h) { return 'PROXY  p1 ;DIRECT ' }", "http://p1;DIRECT")]
    [InlineData("function F(u, h) { return ''; }", null)]
    [InlineData("function F(u, h) { return ';'; }", null)]
    [InlineData("function F(u, h) { return 'DIRECT p'; }", null)]
    [InlineData("function F(u, h) { return 'PROXY'; }", null)]
    [InlineData("function F(u, h) { return 'PROXY a b'; }", null)]
    [InlineData("function F(u, h) { return 'DIRECT'; } function G() { return 'DIRECT'; }", null)]
    [InlineData("function F(u, h) { return 'DIRECT'; } function G() { return x; }", null)]
    [InlineData("function F(u, h) { throw x; return 'DIRECT'; }", null)]
    public void TryConstant_OfAFile_HasAnAnswerWhereThereIsOne(string text, string? expected) =>
        Assert.Equal(expected, PacFile.TryConstant(text));
}

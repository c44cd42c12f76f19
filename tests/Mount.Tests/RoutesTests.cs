namespace Breakwater.Mount.Tests;

public sealed class RoutesTests
{
    [Fact]
    public void Parse_OfServersAndProxies_TriesEveryProxyForTheFirstServerFirst()
    {
        List<Route> routes = Routes.Parse("a.example.org", "s1;http://s2/cvmfs/@fqrn@", "p1:3128|http://p2:3128;DIRECT");
        Assert.Equal(6, routes.Count);
        Assert.All(routes.Take(3), route => Assert.Equal("http://s1/cvmfs/a.example.org", route.Server));
        Assert.All(routes.Skip(3), route => Assert.Equal("http://s2/cvmfs/a.example.org", route.Server));
        Assert.Equal(new Uri("http://p1:3128"), routes[0].Proxy);
        Assert.Null(routes[2].Proxy);
    }

    [Fact]
    public void InOrder_AfterAFailure_HasTheRouteLastAndStillHasIt()
    {
        List<Route> all = Routes.Parse("a.example.org", "s1", "p1:1;p2:2");
        var routes = new Routes(all, TimeProvider.System);
        routes.Failed(all[0]);
        Assert.Equal([all[1], all[0]], routes.InOrder());
    }
}

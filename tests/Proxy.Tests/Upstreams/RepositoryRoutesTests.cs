using System.Text;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Upstreams;

public class RepositoryRoutesTests
{
    private readonly RepositoryRoutes _routes = new(
        new Dictionary<string, RepositoryOptions>
        {
            ["*.cern.ch"] = new() { Cluster = "stratum1" },
            ["*.test.cern.ch"] = new() { Cluster = "test" },
            ["atlas.cern.ch"] = new() { Cluster = "atlas" },
        },
        null!);

    [Theory]
    [InlineData("cms.cern.ch", "stratum1")]
    [InlineData("a.test.cern.ch", "test")]
    [InlineData("atlas.cern.ch", "atlas")]
    [InlineData("x.atlas.cern.ch", "stratum1")]
    public void TryFind_Allowed_MostSpecificWins(string fqrn, string cluster)
    {
        Assert.True(_routes.TryFind(Encoding.ASCII.GetBytes(fqrn), out RepositoryRoute? route));
        Assert.Equal((fqrn, cluster), (route.Fqrn.ToString(), route.Cluster));
    }

    [Theory]
    [InlineData("cern.ch")]
    [InlineData("evilcern.ch")]
    [InlineData("cms.cern.ch.evil.org")]
    [InlineData("CMS.CERN.CH")]
    public void TryFind_Others_AreRefused(string fqrn) => Assert.False(_routes.TryFind(Encoding.ASCII.GetBytes(fqrn), out _));

    [Fact]
    public void Admit_WhatSeedsBring_IsAllowedBesideTheSettings()
    {
        _routes.Admit([Fqrn.Parse("x.example.org"), Fqrn.Parse("atlas.cern.ch")]);
        Assert.True(_routes.TryFind("x.example.org"u8, out RepositoryRoute? route));
        Assert.Equal(RepositoryRoutes.NoCluster, route.Cluster);
        Assert.True(_routes.TryFind("atlas.cern.ch"u8, out route));
        Assert.Equal("atlas", route.Cluster);
        Assert.False(_routes.TryFind("y.example.org"u8, out _));

        _routes.Admit([]);
        Assert.False(_routes.TryFind("x.example.org"u8, out _));
        Assert.Equal(RepositoryRoutes.NoCluster,
            new RepositoryRoutes(new Dictionary<string, RepositoryOptions>(), null!).ForServerInfo("h").Cluster);
    }

    [Fact]
    public void TryFind_MoreNamesThanAreRemembered_StillAnswers()
    {
        for (int i = 0; i < 10_000; i++)
        {
            Assert.True(_routes.TryFind(Encoding.ASCII.GetBytes($"r{i}.cern.ch"), out _));
        }
    }
}

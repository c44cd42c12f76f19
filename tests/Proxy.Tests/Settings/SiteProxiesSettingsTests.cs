using Breakwater.Proxy.Settings;
using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>Names that are put into PAC files are names and nothing else.</summary>
public sealed class SiteProxiesSettingsTests
{
    [Theory]
    [InlineData("p1.example.org:3128")]
    [InlineData("p_1:1")]
    [InlineData("10.0.0.5:65535")]
    [InlineData("[fd00::5]:3128")]
    public void Proxies_Names_AreRight(string proxy) => Assert.Equal([proxy], Load(proxy).ZeroTouch.Proxies);

    [Theory]
    [InlineData("p1:3128\"; alert(1); \"")]
    [InlineData("p1:3128; PROXY evil:1")]
    [InlineData("p1 p2:3128")]
    [InlineData("p1:3128\n")]
    [InlineData("p1\\:3128")]
    [InlineData("p1")]
    [InlineData("p1:0")]
    [InlineData("p1:65536")]
    [InlineData("p1:+1")]
    [InlineData("p1:3128:3129")]
    [InlineData(":3128")]
    [InlineData("")]
    [InlineData("-p1:3128")]
    [InlineData("p1-.example.org:3128")]
    [InlineData("p1..example.org:3128")]
    [InlineData("10.0.0:3128")]
    [InlineData("10.0.0.256:3128")]
    [InlineData("010.0.0.1:3128")]
    [InlineData("fd00::5:3128")]
    [InlineData("[fd00::zz]:3128")]
    [InlineData("user@p1:3128")]
    [InlineData("http://p1:3128")]
    [InlineData("prøxy.example.org:3128")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.org:3128")]
    public void Proxies_AnythingElse_IsAMistake(string proxy)
    {
        SettingsException e = Assert.Throws<SettingsException>(() => Load(proxy));

        Assert.StartsWith("ZeroTouch:Proxies: ", Assert.Single(e.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Proxies_TheSameTwice_IsAMistake()
    {
        SettingsException e = Assert.Throws<SettingsException>(() => Load("p1:3128", "P1:3128"));

        Assert.Equal("ZeroTouch:Proxies: 'p1:3128' is there 2 times.", Assert.Single(e.Errors));
    }

    private static BreakwaterSettings Load(params string[] proxies) => BreakwaterSettings.Load(new ConfigurationBuilder()
        .AddInMemoryCollection(proxies.Index().ToDictionary(one => $"ZeroTouch:Proxies:{one.Index}", one => (string?)one.Item))
        .AddInMemoryCollection(new Dictionary<string, string?> { ["Proxy:Offline"] = "true" }).Build());
}

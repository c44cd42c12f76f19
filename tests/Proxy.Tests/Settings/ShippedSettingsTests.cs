using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>A site's settings over the shipped ones: whose Stratum 1s a shipped cluster has.</summary>
public sealed class ShippedSettingsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Site_GivesAShippedClusterAStratum1_ItIsAlone()
    {
        Assert.Equal(["site=http://s1.site.example/"],
            Stratum1s("""{ "Destinations": { "site": { "Address": "http://s1.site.example/" } } }"""));
    }

    [Fact]
    public void Site_TakesTheShippedOnesOutByNull_ItIsAloneToo()
    {
        Assert.Equal(
            ["site=http://s1.site.example/"],
            Stratum1s("""{ "Destinations": { "site": { "Address": "http://s1.site.example/" }, "1-cern": null, "2-ral": null, "3-bnl": null, "4-fnal": null } }"""));
    }

    [Fact]
    public void Site_NamesAShippedOneAmongItsOwn_OnlyThoseAreThere()
    {
        Assert.Equal(
            ["1-cern=http://c.example/", "site=http://s1.site.example/"],
            Stratum1s("""{ "Destinations": { "site": { "Address": "http://s1.site.example/" }, "1-cern": { "Address": "http://c.example/" } } }"""));
    }

    [Fact]
    public void Site_TakesOneOut_TheOthersStay()
    {
        string[] left = Stratum1s("""{ "Destinations": { "1-cern": null } }""");

        Assert.Equal(3, left.Length);
        Assert.DoesNotContain(left, s => s.StartsWith("1-cern", StringComparison.Ordinal));
    }

    [Fact]
    public void Site_ChangesOtherThingsOfACluster_ItsStratum1sStay()
    {
        Assert.Equal(4, Stratum1s("""{ "HealthCheck": { "Active": { "Enabled": false } } }""").Length);
        Assert.Equal(4, Stratum1s("{}").Length);
    }

    [Fact]
    public void Site_TakesAllOutAndGivesNone_IsAMistake()
    {
        SettingsException e =
            Assert.Throws<SettingsException>(() =>
            Stratum1s("""{ "Destinations": { "1-cern": null, "2-ral": null, "3-bnl": null, "4-fnal": null } }"""));

        Assert.Contains("at least one Stratum 1", Assert.Single(e.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://host/mirror/", true)]
    [InlineData("http://host/a/b.c/~d-e_f", true)]
    [InlineData("https://host:8443/x/", true)]
    [InlineData("http://host/mirror/?x", false)]
    [InlineData("http://host/mirror#x", false)]
    [InlineData("http://host/a//b/", false)]
    [InlineData("http://host/a/../b/", false)]
    [InlineData("http://host/a%20b/", false)]
    [InlineData("http://user:secret@host/", false)]
    public void Address_WithAPath_IsARootWhenItIsPlain(string address, bool isRight)
    {
        string cluster = $$"""{ "Destinations": { "site": { "Address": "{{address}}" } } }""";
        if (isRight)
        {
            Assert.Equal([$"site={address}"], Stratum1s(cluster));
            return;
        }

        SettingsException e = Assert.Throws<SettingsException>(() => Stratum1s(cluster));
        Assert.DoesNotContain("secret", e.Message, StringComparison.Ordinal);
    }

    private string[] Stratum1s(string cluster)
    {
        string file = _directory.Combine("site.json");
        File.WriteAllText(file, $$"""{ "ReverseProxy": { "Clusters": { "stratum1": {{cluster}} } } }""");
        SettingsSources sources = SettingsFile.LoadSources(new FileInfo(file));
        using var disposed = (IDisposable)sources.Root;

        // As a command reads them, and as the server publishes them.
        _ = BreakwaterSettings.Load(sources.Root);
        using var live = new LiveSettings(sources, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        string[] served = Read(live.Configuration);
        Assert.Equal(served, Read(sources.Root));
        return served;
    }

    private static string[] Read(IConfiguration configuration) =>
        [.. ClusterSections.Stratum1s(configuration.GetSection("ReverseProxy:Clusters:stratum1")).Select(d => $"{d.Key}={d["Address"]}")
        .Order(StringComparer.Ordinal)];
}

using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>A site's settings over the presets: which clusters and patterns there are, and whose Stratum 1s they have.</summary>
public sealed class PresetSettingsTests : IDisposable
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
            Stratum1s("""
                {
                  "Destinations": {
                    "site": { "Address": "http://s1.site.example/" }, "1-cern": null, "2-ral": null, "3-bnl": null, "4-fnal": null
                  }
                }
                """));
    }

    [Fact]
    public void Site_NamesAShippedOneAmongItsOwn_OnlyThoseAreThere()
    {
        Assert.Equal(
            ["1-cern=http://c.example/", "site=http://s1.site.example/"],
            Stratum1s("""
                { "Destinations": { "site": { "Address": "http://s1.site.example/" }, "1-cern": { "Address": "http://c.example/" } } }
                """));
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
    }

    [Fact]
    public void Site_TakesAllOutAndGivesNone_IsAMistake()
    {
        SettingsException e =
            Assert.Throws<SettingsException>(() =>
            Stratum1s("""{ "Destinations": { "1-cern": null, "2-ral": null, "3-bnl": null, "4-fnal": null } }"""));

        Assert.Contains("at least one Stratum 1", Assert.Single(e.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Site_GivesAClusterStratum1s_ThePresetsHealthCheckIsGoneToo()
    {
        IConfigurationSection cluster =
            Read("""{ "ReverseProxy": { "Clusters": { "egi": { "Destinations": { "1": { "Address": "http://a/" } } } } } }""")
            .Configuration.GetSection("ReverseProxy:Clusters:egi");

        Assert.Empty(cluster.GetSection("HealthCheck").GetChildren());
        Assert.True(ClusterSections.IsNamed(cluster));
    }

    [Theory]
    [InlineData("[]", "")]
    [InlineData("""["eessi"]""", "*.eessi.io")]
    [InlineData("""["egi", "desy"]""", "*.desy.de *.egi.eu")]
    [InlineData("null", "*.cern.ch *.egi.eu *.opensciencegrid.org")]
    [InlineData("""["cern","egi","osg","eessi","computecanada","galaxy","osgstorage","desy"]""",
        "*.cern.ch *.computecanada.ca *.desy.de *.eessi.io *.egi.eu *.galaxyproject.org *.opensciencegrid.org *.osgstorage.org")]
    public void Presets_Chosen_AreThereAndNoOther(string presets, string patterns)
    {
        (IConfigurationRoot configuration, BreakwaterSettings settings) = Read(
            $$"""
            {
              "Presets": {{presets}},
              "Repositories": { "*.mine.org": { "Cluster": "mine" } },
              "ReverseProxy": { "Clusters": { "mine": { "Destinations": { "1": { "Address": "http://a/" } } } } }
            }
            """);

        Assert.Equal(patterns, string.Join(' ', settings.Repositories.Keys.Where(p => p != "*.mine.org").Order(StringComparer.Ordinal)));
        Assert.Equal(settings.Repositories.Values.Select(r => r.Cluster).Distinct().Order(StringComparer.Ordinal),
            ClusterSections.Of(configuration).Select(c => c.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Presets_EmptyAndNothingElse_IsAMistakeUnlessOffline()
    {
        Assert.Contains("no repository is allowed", Assert.Throws<SettingsException>(() => Read("""{ "Presets": [] }""")).Message,
            StringComparison.Ordinal);
        Assert.Empty(Read("""{ "Presets": [], "Proxy": { "Offline": true } }""").Settings.Repositories);
    }

    [Theory]
    [InlineData("""{ "Repositories": { "*.egi.eu": null } }""")]
    [InlineData("""{ "Repositories": { "*.egi.eu": {} } }""")]
    public void Site_SetsAPatternToNull_ItIsNotServed(string site)
    {
        BreakwaterSettings settings = Read(site).Settings;

        Assert.Equal(["*.cern.ch", "*.opensciencegrid.org"], settings.Repositories.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    public void Site_SetsAClusterToNull_ItsPatternsGoWithIt(string nothing)
    {
        (IConfigurationRoot configuration, BreakwaterSettings settings) =
            Read($$"""{ "ReverseProxy": { "Clusters": { "osg": {{nothing}} } } }""");

        Assert.Equal(["*.cern.ch", "*.egi.eu"], settings.Repositories.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["egi", "stratum1"], ClusterSections.Of(configuration).Select(c => c.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Site_GivesAPatternAnotherCluster_ItHasThat()
    {
        BreakwaterSettings settings = Read(
            """
            {
              "Repositories": { "*.egi.eu": { "Cluster": "mine" } },
              "ReverseProxy": { "Clusters": { "mine": { "Destinations": { "1": { "Address": "http://a/" } } } } }
            }
            """).Settings;

        Assert.Equal("mine", settings.Repositories["*.egi.eu"].Cluster);
    }

    [Fact]
    public void Preset_Unnamed_IsMarkedAndANamedOneIsNot()
    {
        IConfigurationRoot configuration =
            Read("""{ "ReverseProxy": { "Clusters": { "osg": { "HealthCheck": { "Active": { "Enabled": false } } } } } }""").Configuration;

        Assert.Equal(["osg"], ClusterSections.Of(configuration).Where(ClusterSections.IsNamed).Select(c => c.Key));
    }

    [Fact]
    public void Client_HasADomain_ItIsServedByItsStratum1s()
    {
        Client("domain.d/example.org.conf", """
            CVMFS_SERVER_URL="http://a.example.org/cvmfs/@fqrn@;http://b.example.org:8000/cvmfs/@fqrn@"
            """);
        (IConfigurationRoot configuration, BreakwaterSettings settings) = Read(Own());

        Assert.Equal("example.org", settings.Repositories["*.example.org"].Cluster);
        Assert.Equal(["http://a.example.org/", "http://b.example.org:8000/"], Addresses(configuration, "example.org"));
    }

    [Fact]
    public void Client_HasAPresetsDomain_TheClusterKeepsItsNameAndHasTheClientsStratum1s()
    {
        Client("domain.d/cern.ch.conf", "CVMFS_SERVER_URL=http://mine.example.org/cvmfs/@fqrn@");
        (IConfigurationRoot configuration, BreakwaterSettings settings) = Read(Own());

        Assert.Equal("stratum1", settings.Repositories["*.cern.ch"].Cluster);
        Assert.Equal(["http://mine.example.org/"], Addresses(configuration, "stratum1"));

        // The site's own settings stand above both.
        Assert.Equal(["http://c.example/"], Addresses(Read(Own("""
            "ReverseProxy": { "Clusters": { "stratum1": { "Destinations": { "1": { "Address": "http://c.example/" } } } } }
            """)).Configuration, "stratum1"));
    }

    [Fact]
    public void Client_ChangesWhileItRuns_IsInForceAfterTwoLooks()
    {
        Client("domain.d/example.org.conf", "CVMFS_SERVER_URL=http://a.example.org/cvmfs/@fqrn@");
        string file = _directory.Combine("site.json");
        File.WriteAllText(file, Own());
        using var live =
            new LiveSettings(SettingsFile.LoadSources(new FileInfo(file)), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);

        Client("domain.d/other.org.conf", "CVMFS_SERVER_URL=http://o.other.org/cvmfs/@fqrn@");
        live.Look();
        live.Look();

        Assert.Equal(["http://o.other.org/"], Addresses(live.Configuration, "other.org"));
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

    private string Own(string? more = null)
    {
        string directory = System.Text.Json.JsonSerializer.Serialize(_directory.Combine("cvmfs"));
        return $$"""{ "Repositories": { "ConfigDirectory": {{directory}} }{{(more is null ? "" : ", " + more)}} }""";
    }

    private void Client(string name, string text)
    {
        string path = Path.Combine(_directory.Combine("cvmfs"), name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private (IConfigurationRoot Configuration, BreakwaterSettings Settings) Read(string site)
    {
        string file = _directory.Combine("site.json");
        File.WriteAllText(file, site);
        return SettingsFile.Read(new FileInfo(file));
    }

    private static string[] Addresses(IConfiguration configuration, string cluster) =>
        [.. ClusterSections.Stratum1s(configuration.GetSection("ReverseProxy:Clusters:" + cluster))
        .OrderBy(d => d.Key, StringComparer.Ordinal).Select(d => d["Address"]!)];

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

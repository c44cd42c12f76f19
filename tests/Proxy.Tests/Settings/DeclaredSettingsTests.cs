using Breakwater.Proxy.Settings;
using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>What the settings may declare, and how their mistakes are named.</summary>
public sealed class DeclaredSettingsTests
{
    private static readonly Dictionary<string, string?> s_good = new()
    {
        ["Repositories:*.example.org:Cluster"] = "test",
        ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://s1.example.org/",
        ["Pins:boot:Repository"] = "os.example.org",
        ["Pins:boot:Tag"] = "v1",
        ["Pins:boot:Paths:0"] = "/bin/**",
        ["Pins:gone"] = null,
        ["Seeds:Files:0"] = "/srv/seeds/site.seed",
        ["Repositories:os.example.org:AllowRevision"] = "17",
    };

    [Fact]
    public void Load_Right_IsWhatItSays_AndTheRepositoryHasItsDomainsCluster()
    {
        BreakwaterSettings settings = BreakwaterSettings.Load(Configuration(s_good));

        (string name, PinOptions pin) = Assert.Single(settings.Pins);
        Assert.Equal(("boot", "os.example.org", "v1", false), (name, pin.Repository, pin.Tag, pin.All));
        Assert.Equal(["/bin/**"], pin.Paths);
        Assert.Equal(["/srv/seeds/site.seed"], settings.Seeds.Files);
        RepositoryOptions repository = settings.Repositories["os.example.org"];
        Assert.Equal((17, "test"), (repository.AllowRevision, repository.Cluster));
    }

    [Theory]
    [InlineData("Pins", "boot", "Pins:")]
    [InlineData("Pins:boot:Repository", null, "Pins:boot:Repository: the repository's full name is missing")]
    [InlineData("Pins:boot:Repository", "os.elsewhere.net", "Pins:boot:Repository: 'os.elsewhere.net' is not in Repositories")]
    [InlineData("Pins:boot:Repository", "*.example.org", "Pins:boot:Repository: ")]
    [InlineData("Pins:boot:Repository", "os/../x.example.org", "Pins:boot:Repository: ")]
    [InlineData("Pins:boot:Repository", ".example.org", "Pins:boot:Repository: ")]
    [InlineData("Pins:boot:All", "true", "Pins:boot: All is everything")]
    [InlineData("Pins:boot:All", "yes", "Pins:boot:All: 'yes' is not true or false")]
    [InlineData("Pins:boot:Paths:0", null, "Pins:boot:Paths: no path is named")]
    [InlineData("Pins:boot:Paths:0", "", "Pins:boot:Paths: '' is not a path")]
    [InlineData("Pins:boot:Paths:0", "/a/../b", "Pins:boot:Paths: '/a/../b' is not a path")]
    [InlineData("Pins:boot:Paths:0", "# all", "Pins:boot:Paths: ")]
    [InlineData("Pins:boot:Paths:0", "/a\n/b", "Pins:boot:Paths: ")]
    [InlineData("Pins:boot:Paths", "/bin", "Pins:boot:Paths: '/bin' must stand in a list")]
    [InlineData("Pins:boot:Tag", "", "Pins:boot:Tag: ")]
    [InlineData("Pins:boot:Tags", "v1", "Pins:boot:Tags: there is no such setting; did you mean Tag?")]
    [InlineData("Pins:a/b:Repository", "os.example.org", "Pins:a/b: a pin's name has")]
    [InlineData("Pins:other", "/bin", "Pins:other: '/bin' is one value")]
    [InlineData("Seeds:Files:0", "site.seed", "Seeds:Files: 'site.seed' is not a file's full path")]
    [InlineData("Seeds:Files:0", "/srv/../etc/x", "Seeds:Files: ")]
    [InlineData("Seeds:Files:1", "/srv/seeds/site.seed", "Seeds:Files: '/srv/seeds/site.seed' is there 2 times")]
    [InlineData("Repositories:os.example.org:AllowRevision", "0", "Repositories:os.example.org:AllowRevision: 0 is no revision")]
    [InlineData("Repositories:os.example.org:AllowRevision", "-1", "Repositories:os.example.org:AllowRevision: ")]
    [InlineData("Repositories:os.example.org:AllowRevision", "new", "Repositories:os.example.org:AllowRevision: 'new' is not a")]
    [InlineData("Repositories:*.example.org:AllowRevision", "3", "Repositories:*.example.org:AllowRevision: a domain has no revision")]
    [InlineData("Repositories:os.example.org:Published", "true", "Repositories:os.example.org:AllowRevision: what is published here")]
    public void Load_Wrong_NamesTheSetting(string setting, string? value, string expected)
    {
        Dictionary<string, string?> settings = new(s_good) { [setting] = value };
        if (value is null)
        {
            settings.Remove(setting);
        }

        SettingsException e = Assert.Throws<SettingsException>(() => BreakwaterSettings.Load(Configuration(settings)));

        Assert.Contains(e.Errors, error => error.StartsWith(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Load_PinOfWhatSeedsBring_IsRightWithoutANetwork()
    {
        Dictionary<string, string?> settings = new()
        {
            ["Proxy:Offline"] = "true",
            ["Pins:boot:Repository"] = "os.example.org",
            ["Pins:boot:All"] = "true",
        };

        Assert.Single(BreakwaterSettings.Load(Configuration(settings)).Pins);
    }

    private static IConfigurationRoot Configuration(Dictionary<string, string?> values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values).Build();
}

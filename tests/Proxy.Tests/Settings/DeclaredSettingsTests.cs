using Breakwater.CacheStore.Quotas;
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
    [InlineData("Repositories:os.example.org:QuotaBytes", "0", "Repositories:os.example.org:QuotaBytes: 0 is outside 1048576 to ")]
    [InlineData("Repositories:*.example.org:QuotaBytes", "-1", "Repositories:*.example.org:QuotaBytes: -1 is outside ")]
    [InlineData("Repositories:*.example.org:QuotaBytes", "2000000000000000", "Repositories:*.example.org:QuotaBytes: ")]
    [InlineData("Repositories:*.example.org:QuotaBytes", "ten", "Repositories:*.example.org:QuotaBytes: 'ten' is not a")]
    [InlineData("Repositories:os.elsewhere.net:QuotaBytes", "2000000", "Repositories:os.elsewhere.net:Cluster: ")]
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
    public void Load_TheFirstRevision_MayBeAllowed() => Assert.Equal(1, BreakwaterSettings.Load(Configuration(new(s_good)
    {
        ["Repositories:os.example.org:AllowRevision"] = "1",
    })).Repositories["os.example.org"].AllowRevision);

    /// <summary>What is allowed at most, and one more.</summary>
    [Theory]
    [InlineData('n', 64, "Pins:nnn")]
    [InlineData('t', 255, "Pins:p:Tag: ")]
    [InlineData('/', 4096, "Pins:p:Paths: ")]
    public void Load_TextsOfPins_HaveALongest(char c, int most, string said)
    {
        Load(most);
        Assert.Contains(Assert.Throws<SettingsException>(() => Load(most + 1)).Errors,
            error => error.StartsWith(said, StringComparison.Ordinal));

        void Load(int length)
        {
            string text = new(c, length), name = c == 'n' ? text : "p";
            Dictionary<string, string?> settings = new(s_good)
            {
                [$"Pins:{name}:Repository"] = "os.example.org",
                [$"Pins:{name}:Paths:0"] = c == '/' ? text : "/x",
                [$"Pins:{name}:Tag"] = c == 't' ? text : "v1",
            };
            BreakwaterSettings.Load(Configuration(settings));
        }
    }

    [Theory]
    [InlineData("/a b", true)]
    [InlineData("*.so", true)]
    [InlineData("/...", true)]
    [InlineData("!/a", false)]
    [InlineData("^/a", false)]
    [InlineData(" /a", false)]
    [InlineData("/a ", false)]
    [InlineData("/./a", false)]
    public void Load_APathOfAPin_IsOneLineOfAList(string path, bool isRight)
    {
        Dictionary<string, string?> settings = new(s_good) { ["Pins:boot:Paths:0"] = path };

        Assert.Equal(isRight, Record.Exception(() => BreakwaterSettings.Load(Configuration(settings))) is null);
    }

    [Theory]
    [InlineData("/srv/a b.seed", true)]
    [InlineData("/srv/seeds/", false)]
    [InlineData("/srv/./a", false)]
    [InlineData("/srv/a\u0001", false)]
    public void Load_AFileOfSeeds_IsAPlainFullPath(string file, bool isRight)
    {
        Dictionary<string, string?> settings = new(s_good) { ["Seeds:Files:0"] = file };

        Assert.Equal(isRight, Record.Exception(() => BreakwaterSettings.Load(Configuration(settings))) is null);
    }

    /// <summary>The cluster of the nearest domain that has one.</summary>
    [Fact]
    public void Load_ARepositoryOfTwoDomains_HasTheNearersCluster()
    {
        Dictionary<string, string?> settings = new(s_good)
        {
            ["ReverseProxy:Clusters:near:Destinations:s1:Address"] = "http://s2.example.org/",
            ["Repositories:*.sub.example.org:Cluster"] = "near",
            ["Repositories:a.sub.example.org:QuotaBytes"] = "1048576",
            ["Repositories:sub.example.org:QuotaBytes"] = "1048577",
        };

        BreakwaterSettings loaded = BreakwaterSettings.Load(Configuration(settings));
        Assert.Equal(("near", "test"),
            (loaded.Repositories["a.sub.example.org"].Cluster, loaded.Repositories["sub.example.org"].Cluster));
    }

    [Theory]
    [InlineData("1048576", true)]
    [InlineData("1125899906842624", true)]
    [InlineData("1048575", false)]
    [InlineData("1125899906842625", false)]
    public void Load_AQuota_HasBounds(string bytes, bool isRight)
    {
        Dictionary<string, string?> settings = new(s_good) { ["Repositories:os.example.org:QuotaBytes"] = bytes };

        Assert.Equal(isRight, Record.Exception(() => BreakwaterSettings.Load(Configuration(settings))) is null);
    }

    [Fact]
    public void Load_Quotas_AreTheStoresSharesAndTheRepositoryHasItsDomainsCluster()
    {
        BreakwaterSettings settings = BreakwaterSettings.Load(Configuration(new(s_good)
        {
            ["Repositories:data.example.org:QuotaBytes"] = "1048576",
        }));

        Assert.Equal("test", settings.Repositories["data.example.org"].Cluster);
        Assert.Equal(
            [new StoreShare("data.example.org", 1 << 20), new StoreShare("*.example.org", null), new StoreShare("os.example.org", null)],
            RepositoryOptions.SharesOf(settings.Repositories).Where(share => share.Name.EndsWith("example.org", StringComparison.Ordinal)));
    }

    [Fact]
    public void Load_QuotaOfWhatIsPublishedHere_IsAMistake()
    {
        SettingsException e = Assert.Throws<SettingsException>(() => BreakwaterSettings.Load(Configuration(new(s_good)
        {
            ["Repositories:mine.example.org:Published"] = "true",
            ["Repositories:mine.example.org:QuotaBytes"] = "1048576",
        })));

        Assert.Contains(e.Errors, error => error.StartsWith(
            "Repositories:mine.example.org:QuotaBytes: what is published here", StringComparison.Ordinal));
    }

    /// <summary>Marks on disk have 16 bits: two patterns may have the same, and a store has numbers for so many.</summary>
    [Fact]
    public void Load_QuotasThatTheStoreCouldNotTellApart_AreMistakes()
    {
        Dictionary<ushort, string> seen = [];
        string other = "";
        string name = "";
        for (int i = 0; name.Length == 0; i++)
        {
            other = $"r{i}.example.org";
            if (!seen.TryAdd(new StoreShare(other, null).Mark, other))
            {
                name = seen[new StoreShare(other, null).Mark];
            }
        }

        Dictionary<string, string?> settings = new(s_good)
        {
            [$"Repositories:{name}:QuotaBytes"] = "1048576",
            [$"Repositories:{other}:Cluster"] = "test",
        };
        BreakwaterSettings apart = BreakwaterSettings.Load(Configuration(settings));
        Assert.DoesNotContain(RepositoryOptions.SharesOf(apart.Repositories), share => share.Name == other);

        settings[$"Repositories:{other}:QuotaBytes"] = "1048576";
        SettingsException same = Assert.Throws<SettingsException>(() => BreakwaterSettings.Load(Configuration(settings)));
        Assert.Contains(same.Errors, error => error.Contains(name, StringComparison.Ordinal)
            && error.Contains(other, StringComparison.Ordinal));

        Dictionary<string, string?> many = new(s_good);
        foreach (string one in seen.Values.Take(StoreShares.Most + 1))
        {
            many[$"Repositories:{one}:QuotaBytes"] = "1048576";
        }

        SettingsException e = Assert.Throws<SettingsException>(() => BreakwaterSettings.Load(Configuration(many)));
        Assert.Contains(e.Errors, error => error.StartsWith("Repositories: 32 have QuotaBytes", StringComparison.Ordinal));
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

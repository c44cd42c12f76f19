using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Settings;
using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>The section <c>Http</c>: what is right is read, what is wrong is named with its reason.</summary>
public sealed class HttpSettingsTests
{
    private static readonly Dictionary<string, string?> s_good = new()
    {
        ["ReverseProxy:Clusters:demo:Destinations:s1:Address"] = "http://127.0.0.1:8000/",
        ["Repositories:*.example.org:Cluster"] = "demo",
    };

    [Fact]
    public void Http_LeftOut_IsGetAndHeadForNoSite()
    {
        HttpOptions http = Load([]).Http;
        HttpPolicy.Snapshot policy = new HttpPolicy(http).Current;

        Assert.Equal((false, "GET, HEAD", 0.3), (policy.HasSites, policy.Allow, http.QuotaShare));
        Assert.Equal((true, false, false), (policy.Allows("HEAD"), policy.Allows("PUT"), policy.Allows("get")));
        Assert.Equal(CachingRule.Default, policy.Rules.Find("http://host/"));
    }

    [Fact]
    public void Http_InFull_IsReadInOrder()
    {
        Dictionary<string, string?> settings = new()
        {
            ["Http:Methods:0"] = "GET",
            ["Http:Methods:1"] = "PROPFIND",
            ["Http:QuotaShare"] = "0.5",
            ["Http:StaleIfError"] = "02:00:00",
            ["Http:Sites:Repo.example.com:Origin"] = "https://origin.example.com:8443/root/",
            ["Http:Sites:Repo.example.com:Mirrors:0"] = "http://mirror.example.com/",
            ["Http:Sites:*:Origin"] = "http://[::1]:81",
            ["Http:Rules:10:Match"] = "^http://last/",
            ["Http:Rules:10:Join"] = "false",
            ["Http:Rules:2:Match"] = @"\.rpm$",
            ["Http:Rules:2:MinFresh"] = "1.00:00:00",
            ["Http:Rules:2:Store"] = "false",
            ["Http:Rules:2:MaxObjectBytes"] = "1000",
        };

        BreakwaterSettings loaded = Load(settings);
        HttpPolicy.Snapshot policy = new HttpPolicy(loaded.Http).Current;

        Assert.Equal(0.5, loaded.Store.NamedShare);
        Assert.Equal(
            ["https://origin.example.com:8443/root/a%7e?q", "http://mirror.example.com/a%7e?q"],
            policy.Site("repo.EXAMPLE.com")!.Upstreams("/a%7e?q").Select(url => url.AbsoluteUri));
        Assert.Equal("http://[::1]:81/", policy.SiteOrAny("other")!.Upstreams("/")[0].AbsoluteUri);
        CachingRule rpm = policy.Rules.Find("site:http://last/a.rpm");
        Assert.Equal((TimeSpan.FromDays(1), false, true, 1000L), (rpm.MinFresh, rpm.Store, rpm.Join, rpm.MaxObjectBytes));
        CachingRule last = policy.Rules.Find("http://last/a");
        Assert.Equal((false, TimeSpan.FromHours(2)), (last.Join, last.StaleIfError));
        Assert.True(policy.Rules.Find("http://first/http://last/").Join);
    }

    [Theory]
    [InlineData("Http:Methods:0", "get", "Http:Methods:")]
    [InlineData("Http:Methods:0", "TRACE", "Http:Methods:")]
    [InlineData("Http:QuotaShare", "0", "Http:QuotaShare:")]
    [InlineData("Http:QuotaShare", "NaN", "Http:QuotaShare:")]
    [InlineData("Http:MaxConcurrentFetches", "0", "Http:MaxConcurrentFetches:")]
    [InlineData("Http:StaleIfError", "-1", "Http:StaleIfError:")]
    [InlineData("Http:Sites", "repo.example.com", "Http:Sites:")]
    [InlineData("Http:Sites:repo.example.com", "http://origin/", "Http:Sites:repo.example.com:")]
    [InlineData("Http:Sites:repo.example.com:Mirrors:0", "http://a/", "Http:Sites:repo.example.com:Origin:")]
    [InlineData("Http:Sites:repo.example.com:Origin", "ftp://a/", "Http:Sites:repo.example.com:Origin:")]
    [InlineData("Http:Sites:repo.example.com:Origin", "http://user:secret@a/", "Http:Sites:repo.example.com:Origin:")]
    [InlineData("Http:Sites:repo.example.com:Origin", "http://a/?q", "Http:Sites:repo.example.com:Origin:")]
    [InlineData("Http:Sites:repo.example.com:Orign", "http://a/", "Http:Sites:repo.example.com:")]
    [InlineData("Http:Sites:a/b:Origin", "http://a/", "Http:Sites:a/b:")]
    [InlineData("Http:Rules:0:Store", "false", "Http:Rules:0:Match:")]
    [InlineData("Http:Rules:0:Match", "(", "Http:Rules:0:Match:")]
    [InlineData("Http:Rules:0:Match", "(?=x)", "Http:Rules:0:Match:")]
    [InlineData("Http:Rules", @"\.rpm$", "Http:Rules:")]
    [InlineData("Http:Cache", "1", "Http:Cache:")]
    public void Http_Wrong_IsNamed(string name, string value, string said)
    {
        SettingsException e = Assert.Throws<SettingsException>(() => Load(new() { [name] = value }));

        Assert.Contains(e.Errors, error => error.StartsWith(said, StringComparison.Ordinal));
        Assert.DoesNotContain(e.Errors, error => error.Contains("user:secret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Negative", "00:02:00")]
    [InlineData("HeuristicShare", "2")]
    [InlineData("MinFresh", "-00:00:01")]
    [InlineData("override-expire", "true")]
    [InlineData("IgnoreNoStore", "true")]
    [InlineData("MinFrehs", "00:00:01")]
    public void Rule_Wrong_IsNamedWithItsReason(string name, string value)
    {
        Dictionary<string, string?> rule = new() { ["Http:Rules:0:Match"] = "x", [$"Http:Rules:0:{name}"] = value };
        SettingsException e = Assert.Throws<SettingsException>(() => Load(rule));

        Assert.StartsWith($"Http:Rules:0:{name}:", Assert.Single(e.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Rules:0:MinFresh", "365.00:00:00", "365.00:00:01")]
    [InlineData("Rules:0:MaxFresh", "365.00:00:00", "365.00:00:01")]
    [InlineData("Rules:0:MaxFresh", "00:00:00", "-00:00:01")]
    [InlineData("Rules:0:Negative", "00:01:00", "00:01:01")]
    [InlineData("Rules:0:HeuristicShare", "1", "1.001")]
    [InlineData("Rules:0:HeuristicShare", "0", "-0.001")]
    [InlineData("Rules:0:HeuristicShare", "0.5", "NaN")]
    [InlineData("Rules:0:MaxObjectBytes", "0", "-1")]
    [InlineData("Rules:0:MaxObjectBytes", "1125899906842624", "1125899906842625")]
    [InlineData("Rules:0:Match", @"^http://a\.b/", "(a)\\1")]
    [InlineData("Sites:h:Mirrors:0", "https://[::1]:81/a-b_c.d~/", "http://a/../b/")]
    [InlineData("Sites:h:Mirrors:0", "http://a", "http://a/b%20c")]
    [InlineData("Sites:h:Mirrors:0", "http://a/", "http://a/#x")]
    [InlineData("Sites:h:Mirrors:0", "http://a/b/", "a/b")]
    [InlineData("Methods:0", "PROPFIND", "CONNECT")]
    [InlineData("Methods:0", "M-SEARCH", "A B")]
    public void Http_AtItsBounds_IsTakenAndBeyondThemIsNot(string name, string right, string wrong)
    {
        Dictionary<string, string?> settings = new() { ["Http:Rules:0:Match"] = "x", ["Http:Sites:h:Origin"] = "http://o/" };
        settings["Http:" + name] = right;
        Load(settings);
        settings["Http:" + name] = wrong;

        string said = Assert.Single(Assert.Throws<SettingsException>(() => Load(settings)).Errors);
        Assert.StartsWith("Http:" + (name[^2..] == ":0" ? name[..^2] : name), said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.b")]
    [InlineData("10.0.0.1")]
    [InlineData("*")]
    public void Site_AHostWithoutPort_IsRight(string host) =>
        Assert.Single(Load(new() { [$"Http:Sites:{host}:Origin"] = "http://o/", ["Http:Sites:gone"] = "" }).Http.Sites);

    private static BreakwaterSettings Load(Dictionary<string, string?> settings) => BreakwaterSettings.Load(
        new ConfigurationBuilder().AddInMemoryCollection(s_good.Concat(settings)).Build());
}

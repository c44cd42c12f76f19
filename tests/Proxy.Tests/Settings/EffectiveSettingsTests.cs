using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>What is in force, where it stands, and that nobody sees a secret.</summary>
public sealed class EffectiveSettingsTests : IDisposable
{
    private const string Site = """
        {
          "Proxy": { "ConnectTimeout": "00:00:02", "ForwardedFor": [ "10.0.0.0/8" ] },
          "Access": { "Users": { "alice": "secret" } },
          "Snmp": { "Community": "secret" },
          "AccessLog": { "Format": "Json" },
          "Repositories": {
            "z.mine.org": { "Cluster": "mine" },
            "*.mine.org": { "Cluster": "mine", "QuotaBytes": 1048576 },
            "a.mine.org": { "AllowRevision": 17 },
            "*.cern.ch": null, "ConfigDirectory": ""
          },
          "ReverseProxy": { "Clusters": { "mine": {
            "Destinations": { "1": { "Address": "http://a/" } },
            "HttpClient": { "WebProxy": { "Address": "http://site:secret@parent:3128" } } } } },
          "Http": { "Sites": { "h": { "Origin": "http://o/" } }, "Rules": [ { "Match": "x" } ] },
          "Pins": { "b": { "Repository": "a.mine.org", "All": true }, "a": { "Repository": "z.mine.org", "Paths": [ "/x" ] } },
          "Logging": { "LogLevel": { "Default": "Warning" } },
          "Presets": [ "egi" ]
        }
        """;

    private readonly TemporaryDirectory _directory = new();

    private string FilePath => _directory.Combine("site.json");

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("Proxy:ConnectTimeout", "00:00:02", 2, 14)]
    [InlineData("Proxy:FirstByteTimeout", "00:00:01.5000000", 0, 0)]
    [InlineData("Proxy:MaxConcurrentFetches", "128", 0, 0)]
    [InlineData("Proxy:ForwardedFor", "10.0.0.0/8", 2, 44)]
    [InlineData("Access:Users:alice", "(hidden)", 3, 26)]
    [InlineData("Snmp:Community", "(hidden)", 4, 13)]
    [InlineData("Snmp:Listen", "", 0, 0)]
    [InlineData("AccessLog:Format", "Json", 5, 18)]
    [InlineData("Repositories:*.mine.org:Cluster", "mine", 8, 21)]
    [InlineData("Repositories:*.mine.org:QuotaBytes", "1048576", 8, 40)]
    [InlineData("Repositories:a.mine.org:AllowRevision", "17", 9, 21)]
    [InlineData("Repositories:a.mine.org:Cluster", "mine", 0, 0)]
    [InlineData("ReverseProxy:Clusters:mine:Destinations:1:Address", "http://a/", 13, 30)]
    [InlineData("ReverseProxy:Clusters:mine:HttpClient:WebProxy:Address", "http://…@parent:3128", 14, 35)]
    [InlineData("Http:Sites:h:Origin", "http://o/", 15, 31)]
    [InlineData("Http:Rules:0:Match", "x", 15, 71)]
    [InlineData("Pins:a:Paths", "/x", 16, 98)]
    [InlineData("Pins:b:All", "True", 16, 48)]
    [InlineData("Logging:LogLevel:Default", "Warning", 17, 30)]
    public void List_ASetting_HasItsValueAndItsPlace(string name, string value, int line, int column)
    {
        EffectiveSetting setting = Assert.Single(List(), one => one.Name == name);

        Assert.Equal(value, setting.Value is string[] list ? string.Join(' ', list)
            : Convert.ToString(setting.Value, System.Globalization.CultureInfo.InvariantCulture) ?? "");
        Assert.Equal(line == 0 ? "default" : $"{FilePath}, line {line}, column {column}", setting.From);
    }

    [Fact]
    public void List_OfAPreset_NamesIt()
    {
        Assert.Contains(List(), one => one is { Name: "Repositories:*.egi.eu:Cluster", Value: "egi", From: "preset egi" });
        Assert.Contains(List(), one => one.From == "preset egi"
            && one.Name.StartsWith("ReverseProxy:Clusters:egi:Destinations:", StringComparison.Ordinal));
    }

    [Fact]
    public void List_AnEmptyList_IsWhatStandsForIt() =>
        Assert.Equal(new AccessOptions().EffectiveClients, List().Single(one => one.Name == "Access:Clients").Value);

    // 19: "Proxy:Listen = []", where [::]:3128 is in force, and a quota of null.
    [Fact]
    public void List_WhatIsChosenByTheServer_IsSaid()
    {
        Assert.Equal(["[::]:3128"], Assert.IsType<string[]>(List().Single(one => one.Name == "Proxy:Listen").Value));
        Assert.DoesNotContain(List(), one => one.Name == "Store:NamedShare"); // no setting: it follows Http:QuotaShare
        EffectiveSetting quota = List().Single(one => one.Name == "Store:QuotaBytes");
        Assert.Equal((null, "default, chosen at the first start: 80 % of what is free on the store's disk"), (quota.Value, quota.From));
    }

    [Fact]
    public void List_All_InTheOrderOfTheSectionsEachOnce()
    {
        IReadOnlyList<EffectiveSetting> all = List();
        string[] names = [.. all.Select(one => one.Name)];

        Assert.Equal(names.Distinct(), names);
        Assert.DoesNotContain(all, one => one.Value?.ToString()?.Contains("secret", StringComparison.Ordinal) == true);
        Assert.DoesNotContain(names, name => name.StartsWith("Presets", StringComparison.Ordinal));
        Assert.Equal(["Proxy", "Access", "Store", "Admin", "AccessLog"], names.Select(name => name.Split(':')[0]).Distinct().Take(5));
        Assert.Equal(
            ["Repositories:*.egi.eu:Cluster", "Repositories:*.mine.org:Cluster", "Repositories:a.mine.org:Cluster",
            "Repositories:z.mine.org:Cluster", "Repositories:a.mine.org:AllowRevision", "Repositories:*.mine.org:QuotaBytes"],
            names.Where(name => name.StartsWith("Repositories:", StringComparison.Ordinal) && name.Split(':').Length == 3));
        Assert.Equal(["Pins:a", "Pins:b"], names.Where(name => name.StartsWith("Pins:", StringComparison.Ordinal))
            .Select(name => string.Join(':', name.Split(':').Take(2))).Distinct());
        Assert.Contains("Repositories:KeysDirectory", names);
        Assert.True(Array.IndexOf(names, "ReverseProxy:Clusters:mine:Destinations:1:Address") > Array.IndexOf(names, "Pins:b:All"));
    }

    [Fact]
    public void Places_OfSeveralFiles_AreThoseInForce()
    {
        string below = _directory.Combine("below.json"), above = _directory.Combine("above.json");
        File.WriteAllText(below, """{ "Proxy": { "Listen": [ "a", "b" ], "Name": "x", "TlsKey": "k" } }""");
        File.WriteAllText(above, """{ "Proxy": { "Name": "y", "TlsKey": null } }""");
        var sources = new SettingsSources(new SettingsFileProvider(below, isOptional: false),
            new SettingsFileProvider(above, isOptional: false));
        using var disposed = (IDisposable)sources.Root;
        SettingsPlaces places = sources.Places;

        Assert.Equal(new SettingsPlace(above, 1, 14), places.Of("Proxy:Name"));
        Assert.Equal(new SettingsPlace(below, 1, 14), places.Of("Proxy:Listen"));
        Assert.Null(places.Of("Proxy:Offline"));
        Assert.Equal([new SettingsPlace(above, 1, 14)], places.Locate("Proxy:Name: 'y' is none.").Places);
        Assert.Equal([new SettingsPlace(below, 1, 31)], places.Locate("Proxy:Listen: 'b' is none.").Places);
        Assert.Equal([new SettingsPlace(below, 1, 14)], places.Locate("Proxy:Listen: 'c' is none.").Places);
        Assert.Equal([new SettingsPlace(below, 1, 14), new SettingsPlace(above, 1, 14)],
            places.Locate("Proxy:Listen and Proxy:Name: both.").Places);
        Assert.Empty(places.Locate("Nothing: of it.").Places);
        Assert.Empty(places.Locate("Nothing").Places);
    }

    [Fact]
    public void Places_OfTheEnvironment_NameItsVariable()
    {
        Environment.SetEnvironmentVariable("BreakwaterTest__Some__Name", "x");
        try
        {
            var sources = new SettingsSources();
            using var disposed = (IDisposable)sources.Root;
            Assert.Equal("environment variable BreakwaterTest__Some__Name", sources.Places.Of("BreakwaterTest:Some:Name")?.ToString());
            Assert.Equal("environment variable BreakwaterTest__Some", sources.Places.Of("BreakwaterTest:Some")?.ToString());
            Assert.Null(sources.Places.Of("BreakwaterTest:Other"));
        }
        finally
        {
            Environment.SetEnvironmentVariable("BreakwaterTest__Some__Name", null);
        }
    }

    private IReadOnlyList<EffectiveSetting> List()
    {
        File.WriteAllText(FilePath, Site);
        SettingsSources sources = SettingsFile.LoadSources(new FileInfo(FilePath));
        using var disposed = (IDisposable)sources.Root;
        return EffectiveSettings.List(sources, sources.Bind());
    }
}

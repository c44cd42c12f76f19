using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.Tests.Settings;

public class BreakwaterSettingsTests
{
    private static readonly Dictionary<string, string?> s_good = new()
    {
        ["ReverseProxy:Clusters:demo:Destinations:s1:Address"] = "http://127.0.0.1:8000/",
        ["Repositories:*.example.org:Cluster"] = "demo",
    };

    [Fact]
    public void Load_ShippedSettings_AreRight()
    {
        BreakwaterSettings settings = SettingsFile.Read(null).Settings;

        Assert.Equal(3128, Assert.Single(settings.Proxy.ListenEndPoints()).Port);
        Assert.Equal(["*.cern.ch", "*.egi.eu", "*.opensciencegrid.org"], settings.Repositories.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(4L << 30, settings.Store.MaxObjectBytes);
    }

    [Fact]
    public void Load_ManyMistakes_NamesAllAtOnce()
    {
        var settings = new Dictionary<string, string?>(s_good)
        {
            ["Proxy:Listen:0"] = "nowhere",
            ["Proxy:ConnectTimeout"] = "00:05:00",
            ["Access:Clients:0"] = "10.0.0.0/99",
            ["Repositories:*.cern.ch:Cluster"] = "missing",
            ["ReverseProxy:Clusters:demo:Destinations:s2:Address"] = "ftp://x/",
            ["ReverseProxy:Clusters:empty:HealthCheck:Active:Enabled"] = "false",
        };

        SettingsException e = Assert.Throws<SettingsException>(() => Load(settings));

        Assert.Equal(6, e.Errors.Count);
        Assert.All(
            new[] { "Proxy:Listen", "Proxy:ConnectTimeout", "Access:Clients", "Repositories:*.cern.ch:Cluster", "s2:Address",
            "empty:Destinations" },
            name => Assert.Contains(e.Errors, error => error.Contains(name, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Store:Path", "/tmp/a\0b", "Store:Path")]
    [InlineData("Admin:Listen", "127.0.0.1:9999", "Proxy:Listen and Admin:Listen")]
    [InlineData("Proxy:Listen:1", "127.0.0.1:9999", "Proxy:Listen")]
    public void Load_WhatWouldEndTheStart_IsNamed(string name, string value, string said)
    {
        SettingsException e =
            Assert.Throws<SettingsException>(() =>
            Load(new Dictionary<string, string?>(s_good) { ["Proxy:Listen:0"] = "127.0.0.1:9999", [name] = value }));

        Assert.StartsWith(said + ":", Assert.Single(e.Errors), StringComparison.Ordinal);
    }

    // Read by libraries, which would find the mistake later, or stop at the first.
    [Theory]
    [InlineData("Logging:LogLevel:Default", "Loud")]
    [InlineData("Logging:LogLevel:Default", "77")]
    [InlineData("Logging:LogLevel", "Debug")]
    [InlineData("Logging:Console:LogLevel:Yarp", "Loud")]
    [InlineData("Logging:Console:FormatterName", "xml")]
    [InlineData("Logging:Console:MaxQueueLength", "-1")]
    [InlineData("Logging:Console:QueueFullMode", "Never")]
    [InlineData("Logging:Console:FormatterOptions:IncludeScopes", "maybe")]
    [InlineData("Logging:Console:FormatterOptions:TimestampFormat", "%")]
    [InlineData("ReverseProxy:Clusters:demo:LoadBalancingPolicy", "None")]
    [InlineData("ReverseProxy:Clusters:demo:HealthCheck:Active:Enabled", "maybe")]
    [InlineData("ReverseProxy:Clusters:demo:HealthCheck:Active:Interval", "soon")]
    [InlineData("ReverseProxy:Clusters:demo:HealthCheck:Active:Interval", "-00:00:01")]
    [InlineData("ReverseProxy:Clusters:demo:HealthCheck:Active:Timeout", "99999.00:00:00")]
    [InlineData("ReverseProxy:Clusters:demo:HealthCheck:Passive:ReactivationPeriod", "99999.00:00:00")]
    [InlineData("ReverseProxy:Clusters:demo:HttpRequest:Version", "9")]
    [InlineData("ReverseProxy:Clusters:demo:HttpRequest:VersionPolicy", "Never")]
    [InlineData("ReverseProxy:Clusters:demo:HttpClient:MaxConnectionsPerServer", "-3")]
    [InlineData("ReverseProxy:Clusters:demo:HttpClient:RequestHeaderEncoding", "xx")]
    [InlineData("ReverseProxy:Clusters:demo:HttpClient:SslProtocols:0", "Tls99")]
    [InlineData("ReverseProxy:Clusters:demo:Destinations:s1:Health", "::")]
    [InlineData("ReverseProxy:Routes:all:Order", "first")]
    public void Load_WhatALibraryCannotRead_IsNamedWithAllOtherMistakes(string name, string value)
    {
        var settings =
            new Dictionary<string, string?>(s_good)
            {
                [name] = value,
                ["Proxy:MaxConnections"] = "many",
                ["ReverseProxy:Clusters:other:Destinations:s1:Address"] = "http://127.0.0.1:8001/"
            };

        SettingsException e = Assert.Throws<SettingsException>(() => Load(settings));

        string[] path = name.Split(':');
        Assert.Equal(2, e.Errors.Count);
        Assert.Contains(e.Errors,
            error => error.StartsWith(string.Join(':', path.Take(path[0] == "Logging" ? 1 : path[1] == "Clusters" ? 3 : 2)),
            StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Logging:LogLevel:Default", "none")]
    [InlineData("Logging:LogLevel:Default", "")]
    [InlineData("Logging:Console:FormatterName", "json")]
    [InlineData("Logging:Console:FormatterOptions:TimestampFormat", "HH:mm:ss ")]
    [InlineData("ReverseProxy:Clusters:demo:Destinations:s2", null)]
    [InlineData("ReverseProxy:Clusters:demo:LoadBalancingPolicy", "RoundRobin")]
    [InlineData("ReverseProxy:Clusters:demo:HealthCheck:Active:Interval", "1.00:00:00")]
    public void Load_WhatALibraryReads_IsTaken(string name, string? value) =>
    Load(new Dictionary<string, string?>(s_good) { [name] = value });

    [Fact]
    public void Load_SeveralMistakesInOneSection_NamesAllAtOnce()
    {
        var settings = new Dictionary<string, string?>(s_good)
        {
            ["Proxy:Lissten:0"] = "[::]:3128",
            ["Proxy:MaxConnections"] = "many",
            ["Proxy:ConnectTimeout"] = "soon",
            ["Proxy:DrainTimeout"] = "01:00:00",
            ["Proxy:Colour"] = "red",
            ["AccessLog:Format"] = "Squidd",
        };

        SettingsException e = Assert.Throws<SettingsException>(() => Load(settings));

        Assert.Equal(6, e.Errors.Count);
        Assert.Contains("Proxy:Lissten: there is no such setting; did you mean Listen?", e.Errors);
        Assert.Contains("Proxy:MaxConnections: 'many' is not a whole number.", e.Errors);
        Assert.Contains("Proxy:ConnectTimeout: 'soon' is not a time such as 00:00:01.5.", e.Errors);
        Assert.Contains("AccessLog:Format: 'Squidd' is not one of Squid, Combined, Json.", e.Errors);
        Assert.Contains(e.Errors, error => error.StartsWith("Proxy:DrainTimeout: ", StringComparison.Ordinal));
        Assert.Contains(e.Errors,
            error => error.StartsWith("Proxy:Colour: there is no such setting; here are AnswerTimeout, ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Access:Clients", "10.0.0.0/8", "must stand in a list")]
    [InlineData("Access:Users", "alice", "names with values")]
    [InlineData("Store:Path:0", "/srv/cache", "one value belongs here")]
    [InlineData("Repositories:KeysDirectory", "/nowhere/at/all", "there is no folder")]
    [InlineData("Repositories:KeyDirectory", "/etc", "did you mean KeysDirectory")]
    [InlineData("Proxy:Listen:0", "[::]", "is not an address with a port")]
    [InlineData("Admin:Listen", "::1", "is not an address with a port")]
    public void Load_ValueThatWouldBePassedOver_IsAMistake(string name, string value, string says)
    {
        SettingsException e = Assert.Throws<SettingsException>(() => Load(new Dictionary<string, string?>(s_good) { [name] = value }));

        Assert.Contains(says, Assert.Single(e.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void LoadSources_UnknownSection_IsAMistake()
    {
        using var directory = new TemporaryDirectory();
        string file = directory.Combine("settings.json");
        File.WriteAllText(file, """{ "Acces": { "Clients": [ "10.0.0.0/8" ] }, "Logging": { }, "proxy": { } }""");

        SettingsException e = Assert.Throws<SettingsException>(() => SettingsFile.Read(new FileInfo(file)));

        Assert.Equal("Acces: there is no such setting; did you mean Access?", Assert.Single(e.Mistakes).Text);
    }

    [Theory]
    [InlineData("Proxy:Lissten:0", "[::]:3128")]
    [InlineData("Proxy:ConnectTimeout", "soon")]
    [InlineData("Proxy:MaxConnections", "many")]
    public void Load_UnknownNameOrUnreadableValue_IsAMistake(string name, string value)
    {
        SettingsException e = Assert.Throws<SettingsException>(() => Load(new Dictionary<string, string?>(s_good) { [name] = value }));

        Assert.Contains("Proxy", Assert.Single(e.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Snmp:Listen", "3401", "public", "::1/128")]
    [InlineData("Snmp:Community", "127.0.0.1:3401", null, "::1/128")]
    [InlineData("Snmp:Community", "127.0.0.1:3401", "two words", "::1/128")]
    [InlineData("Snmp:Clients", "127.0.0.1:3401", "public", "10.0.0.0/99")]
    public void Load_WrongSnmp_IsAMistake(string name, string listen, string? community, string clients)
    {
        SettingsException e = Assert.Throws<SettingsException>(() => Load(new Dictionary<string, string?>(s_good)
        {
            ["Snmp:Listen"] = listen,
            ["Snmp:Community"] = community,
            ["Snmp:Clients:0"] = clients,
        }));

        Assert.Contains(name, Assert.Single(e.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NoRepositories_SaysWhatToAdd()
    {
        SettingsException e = Assert.Throws<SettingsException>(() => Load([]));

        Assert.Contains("Repositories", Assert.Single(e.Errors), StringComparison.Ordinal);
    }

    private static BreakwaterSettings Load(Dictionary<string, string?> values) =>
        BreakwaterSettings.Load(new ConfigurationBuilder().AddInMemoryCollection(values).Build());
}

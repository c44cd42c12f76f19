using Breakwater.Proxy.Settings;
using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>Values on both sides of what is allowed.</summary>
public sealed class SettingsValidatorTests
{
    private static readonly Dictionary<string, string?> s_good = new()
    {
        ["ReverseProxy:Clusters:demo:Destinations:s1:Address"] = "http://127.0.0.1:8000/",
        ["Repositories:*.example.org:Cluster"] = "demo",
    };

    [Theory]
    [InlineData("Telemetry:OtlpEndpoint=http://collector:4317")]
    [InlineData("Telemetry:OtlpEndpoint=https://collector")]
    [InlineData("Telemetry:OtlpEndpoint=")]
    [InlineData("Proxy:Name=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-b.C_9")] // 64
    [InlineData("Proxy:CongestionControl=")]
    [InlineData("Proxy:CongestionControl=abc-de_fghijkl9")] // 15
    [InlineData("Proxy:Listen:0=[::1]:80", "Proxy:Listen:1=10.0.0.1:65535")]
    [InlineData("Proxy:Listen:0=127.0.0.1:0", "Proxy:Listen:1=127.0.0.1:0")]
    [InlineData("Proxy:Listen:0=[::]:3129")] // Cluster:Listen's, and there is no cluster
    [InlineData("ZeroTouch:Listen=[::]:80")]
    [InlineData("ZeroTouch:Proxies:0=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b:1")] // 63
    [InlineData("ZeroTouch:BootDirectory=/")]
    [InlineData("Admin:Listen=")]
    [InlineData("Admin:Hosts:0=proxy1.example.org")]
    [InlineData("Snmp:Community=not used")]
    [InlineData("Snmp:Listen=127.0.0.1:3401", "Snmp:Community=!aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa~")] // 64
    [InlineData("ReverseProxy:Clusters:demo:Destinations:s1:Health=http://h/")]
    [InlineData("ReverseProxy:Clusters:demo:HealthCheck:Active:Interval=7.00:00:00")]
    [InlineData("Repositories:mine.example.net:Published=true")]
    [InlineData("Access:Users:alice=secret")]
    [InlineData("Access:Destinations:0=*.example.org:8080", "Access:Connect:0=www.example.org")]
    [InlineData("Proxy:ProxyProtocol:0=10.0.0.0/8", "Proxy:ForwardedFor:0=10.0.0.1/32")]
    public void Load_AllowedValues_AreTaken(params string[] settings) => Load(settings);

    [Theory]
    [InlineData("Telemetry:OtlpEndpoint: 'collector:4317'", "Telemetry:OtlpEndpoint=collector:4317")]
    [InlineData("Telemetry:OtlpEndpoint: 'ftp://x'", "Telemetry:OtlpEndpoint=ftp://x")]
    [InlineData("Telemetry:OtlpEndpoint: 'collector'", "Telemetry:OtlpEndpoint=collector")]
    [InlineData("Proxy:Name: '' ", "Proxy:Name=")]
    [InlineData("Proxy:Name: 'a b' ", "Proxy:Name=a b")]
    [InlineData("Proxy:Name: 'a", "Proxy:Name=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")] // 65
    [InlineData("Proxy:CongestionControl: 'Cubic'", "Proxy:CongestionControl=Cubic")]
    [InlineData("Proxy:CongestionControl: 'a", "Proxy:CongestionControl=aaaaaaaaaaaaaaaa")] // 16
    [InlineData("Proxy:Listen: '127.1:80'", "Proxy:Listen:0=127.1:80")]
    [InlineData("Proxy:Listen: '010.0.0.1:80'", "Proxy:Listen:0=010.0.0.1:80")]
    [InlineData("Proxy:Listen: '127.0.0.1'", "Proxy:Listen:0=127.0.0.1")]
    [InlineData("Proxy:Listen: '[::1]'", "Proxy:Listen:0=[::1]")]
    [InlineData("Proxy:Listen: 127.0.0.1:1 is there 2 times.", "Proxy:Listen:0=127.0.0.1:1", "Proxy:Listen:1=127.0.0.1:1")]
    [InlineData("Proxy:Listen and ZeroTouch:Listen: [::]:80 is", "Proxy:Listen:0=[::]:80", "ZeroTouch:Listen=[::]:80")]
    [InlineData("Proxy:Listen and Admin:Listen: [::1]:80 is", "Proxy:Listen:0=[::1]:80", "Admin:Listen=[::1]:80")]
    [InlineData("Proxy:ProxyProtocol: 'x'", "Proxy:ProxyProtocol:0=x")]
    [InlineData("Proxy:ForwardedFor: '10.0.0.5/8'", "Proxy:ForwardedFor:0=10.0.0.5/8")]
    [InlineData("Cluster:AllowedNodes: 'x'", "Cluster:AllowedNodes:0=x")]
    [InlineData("Cluster:Listen: 'x'", "Cluster:Listen=x")]
    [InlineData("ZeroTouch:Listen: '80'", "ZeroTouch:Listen=80")]
    [InlineData("ZeroTouch:BootDirectory: there is no folder '/nowhere/at/all'", "ZeroTouch:BootDirectory=/nowhere/at/all")]
    [InlineData("Store:Path: 'relative/x' is not a full path, such as /srv/relative/x.", "Store:Path=relative/x")]
    [InlineData("Store:Path: '~/x' is not a full path, such as /srv/x.", "Store:Path=~/x")]
    [InlineData("Admin:TokenFile: './t' is not a full path, such as /srv/t.", "Admin:TokenFile=./t")]
    [InlineData("AccessLog:Path: 'a.log' is not a full path", "AccessLog:Path=a.log")]
    [InlineData("Publish:Path: 'p' is not a full path", "Publish:Path=p")]
    [InlineData("Admin:Listen: '9128'", "Admin:Listen=9128")]
    [InlineData("Admin:Hosts: 'h:1'", "Admin:Hosts:0=h:1")]
    [InlineData("Admin:Hosts: '10.0.0.1'", "Admin:Hosts:0=10.0.0.1")]
    [InlineData("Admin:TlsCertificate: the certificate of Admin:TlsKey", "Admin:TlsKey=/x")]
    [InlineData("Snmp:Community: ", "Snmp:Listen=127.0.0.1:1",
        "Snmp:Community=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")] // 65
    [InlineData("Snmp:Community: ", "Snmp:Listen=127.0.0.1:1", "Snmp:Community=\u007f")]
    [InlineData("Access:Destinations: 'a/b'", "Access:Destinations:0=a/b")]
    [InlineData("Access:Connect: 'a/b'", "Access:Connect:0=a/b")]
    [InlineData("Access:AllowedUpstreams: 'a'", "Access:AllowedUpstreams:0=a")]
    [InlineData("Repositories:example: a key is", "Repositories:example:Cluster=demo")]
    [InlineData("Repositories:*.org: a key is", "Repositories:*.org:Cluster=demo")]
    [InlineData("Repositories:-a.b: a key is", "Repositories:-a.b:Cluster=demo")]
    [InlineData("Repositories:*.example.net:Published: a domain", "Repositories:*.example.net:Published=true")]
    [InlineData("Repositories:a.example.net:Cluster: what is published", "Repositories:a.example.net:Published=true",
        "Repositories:a.example.net:Cluster=demo")]
    [InlineData("Repositories:a.b:Cluster: 'x' is none of the clusters in ReverseProxy:Clusters (demo).", "Repositories:a.b:Cluster=x")]
    [InlineData("ReverseProxy:Clusters:demo:Destinations:s1:Health: 'h'", "ReverseProxy:Clusters:demo:Destinations:s1:Health=h")]
    [InlineData("ReverseProxy:Clusters:demo:Destinations:s2:Address: ''", "ReverseProxy:Clusters:demo:Destinations:s2:Health=http://h/")]
    [InlineData("ReverseProxy:Clusters:demo:Destinations:s1:Address: ",
        "ReverseProxy:Clusters:demo:Destinations:s1:Address=http://h/a/..")]
    [InlineData("ReverseProxy:Clusters:demo:HealthCheck:Active:Interval: ",
        "ReverseProxy:Clusters:demo:HealthCheck:Active:Interval=7.00:00:01")]
    [InlineData("ReverseProxy:Clusters:demo:HealthCheck:Active:Interval: ",
        "ReverseProxy:Clusters:demo:HealthCheck:Active:Interval=00:00:00")]
    [InlineData("ReverseProxy:Clusters:none:Destinations: a cluster needs", "ReverseProxy:Clusters:none:HttpClient:CaFile=")]
    [InlineData("ReverseProxy:Clusters:demo:HttpClient:WebProxy:Address: ", "ReverseProxy:Clusters:demo:HttpClient:WebProxy:Address=x")]
    public void Load_WhatIsNotAllowed_IsTheOnlyMistake(string said, params string[] settings)
    {
        SettingsException e = Assert.Throws<SettingsException>(() => Load(settings));

        Assert.StartsWith(said, Assert.Single(e.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_StandardOutputForALog_IsAllowed() => Assert.Equal("-", Load("AccessLog:Path=-").AccessLog.Path);

    [Fact]
    public void Load_Offline_NeedsNoClusters()
    {
        BreakwaterSettings settings = BreakwaterSettings.Load(new ConfigurationBuilder().AddInMemoryCollection(
            [new("Proxy:Offline", "true"), new("Repositories:a.example.org:QuotaBytes", "1048576")]).Build());

        Assert.Equal("offline", settings.Repositories["a.example.org"].Cluster);
    }

    [Fact]
    public void Load_Published_HasTheClusterOfWhatIsPublished() =>
        Assert.Equal(RepositoryOptions.PublishedCluster,
            Load("Repositories:mine.example.net:Published=true").Repositories["mine.example.net"].Cluster);

    /// <summary>An empty table is a table, not a list of nothing.</summary>
    [Fact]
    public void Load_DefaultPaths_AreBesideEachOther()
    {
        BreakwaterSettings settings = Load("Access:Users=", "Store:Path=/srv/cache");

        Assert.Equal(("/srv/cache", "/srv/cache/admin.token"), (settings.Store.Path, settings.Admin.TokenFile));
        Assert.Equal("/t", Load("Store:Path=/srv/cache", "Admin:TokenFile=/t").Admin.TokenFile);
        Assert.EndsWith("/breakwater", Load().Store.Path, StringComparison.Ordinal);
        Assert.Empty(settings.Access.Users);
    }

    private static BreakwaterSettings Load(params string[] settings)
    {
        var values = new Dictionary<string, string?>(s_good);
        foreach (string[] setting in settings.Select(one => one.Split('=', 2)))
        {
            values[setting[0]] = setting[1];
        }

        return BreakwaterSettings.Load(new ConfigurationBuilder().AddInMemoryCollection(values).Build());
    }
}

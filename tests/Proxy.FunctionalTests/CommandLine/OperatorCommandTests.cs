using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary>What an operator types, against a running Breakwater.</summary>
public sealed partial class OperatorCommandTests(RunningBreakwater breakwater) : IClassFixture<RunningBreakwater>
{
    [Fact]
    public async Task Doctor_AllIsWell_SaysSo()
    {
        CommandResult result = await breakwater.RunAsync(["doctor"]);

        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        Assert.Matches(@"ok +settings", result.Output);
        Assert.Matches(@"ok +running +ready, admin page on http://127\.0\.0\.1:\d+/", result.Output);
        Assert.Matches($@"ok +Stratum 1 {Regex.Escape(breakwater.Stratum1.EndPoint.ToString())} +answers in", result.Output);
        Assert.Contains("open files", result.Output, StringComparison.Ordinal);
        Assert.Contains("disk", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_NoServerAndADeadStratum1_SaysWhatToDo()
    {
        using var empty = new TemporaryDirectory();
        CommandResult result = await breakwater.RunAsync(
            ["doctor"], ("Store__Path", empty.Combine("store")),
            ("ReverseProxy__Clusters__test__Destinations__s1__Address", "http://127.0.0.1:9/"));

        string oneLine = Spaces().Replace(result.Output, " ");
        Assert.Equal(1, result.ExitCode);
        Assert.Matches(@"FAIL Stratum 1 127\.0\.0\.1:9 .*no other of the cluster 'test' answers", oneLine);
        Assert.Contains("Start one with 'breakwater serve'", oneLine, StringComparison.Ordinal);
        Assert.Contains("open the firewall", oneLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_Keys_LooksWhereTheSettingsSay()
    {
        using var directory = new TemporaryDirectory();
        File.Copy(FixtureRepository.Tiny.MasterKeyPath, directory.Combine("tiny.example.org.pub"));

        CommandResult result = await breakwater.RunAsync(["doctor"], ("Repositories__KeysDirectory", directory.Path));

        Assert.Matches(@"ok +keys +1 master key in ", result.Output);
    }

    [Fact]
    public async Task Doctor_PortIsTaken_SaysByWhichSettingAndFails()
    {
        using var empty = new TemporaryDirectory();
        using var other = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        other.Start();

        CommandResult result =
            await breakwater.RunAsync(["doctor"], ("Store__Path", empty.Combine("store")),
            ("Proxy__Listen__0", other.LocalEndpoint.ToString()!));

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("taken by another program (Proxy:Listen)", Spaces().Replace(result.Output, " "), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_ClusterWithParentProxy_IsAskedByIt()
    {
        string parent = breakwater.Stratum1.Address;

        CommandResult result = await breakwater.RunAsync(
            ["doctor"], ("ReverseProxy__Clusters__test__Destinations__s1__Address", "http://s1.invalid/"),
            ("ReverseProxy__Clusters__test__HttpClient__WebProxy__Address", parent));

        Assert.Matches($@"ok Stratum 1 s1\.invalid answers in \d+ ms by {Regex.Escape(parent)}", Spaces().Replace(result.Output, " "));
    }

    [Fact]
    public async Task Doctor_Offline_AsksNoStratum1()
    {
        CommandResult result = await breakwater.RunAsync(["doctor"], ("Proxy__Offline", "true"));

        Assert.Contains("none is asked: Proxy:Offline", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(breakwater.Stratum1.EndPoint.ToString(), result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_WrongSettings_NamesEachAndFails()
    {
        CommandResult result = await breakwater.RunAsync(["doctor"], ("Proxy__Listen__0", "nowhere"), ("Admin__Listen", "nowhere"));

        Assert.Equal(1, result.ExitCode);
        Assert.Equal(2, result.Output.Split("FAIL").Length - 1);
        Assert.Contains("Proxy:Listen", result.Output, StringComparison.Ordinal);
        Assert.Contains("Admin:Listen", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_BeforeAndAfterTheFirstFetch_TellsWhatIsKnownOfAStratum1()
    {
        // The cluster of *.cern.ch is asked by no test before this one asks it.
        Assert.Equal("notAskedYet", await StateOfAsync("stratum1", "1-cern"));
        Assert.Contains("(not asked yet)", (await breakwater.RunAsync(["status"])).Output, StringComparison.Ordinal);

        await RawHttpClient.GetOnceAsync(breakwater.EndPoint, "/cvmfs/some.cern.ch/data/00/00000000000000000000000000000000000000", []);

        Assert.Equal("answers", await StateOfAsync("stratum1", "1-cern"));
    }

    [Fact]
    public async Task Status_NoServer_SaysHowToStartOne()
    {
        using var empty = new TemporaryDirectory();
        CommandResult result = await breakwater.RunAsync(["status"], ("Store__Path", empty.Combine("store")));

        Assert.Equal(69, result.ExitCode);
        Assert.Contains("breakwater serve", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Top_OutputIsAFile_OneFrame()
    {
        await RawHttpClient.GetOnceAsync(breakwater.EndPoint, FixtureRepository.Tiny.UrlPath(FixtureRepository.Tiny.LargestObject), []);
        CommandResult result = await breakwater.RunAsync(["top"]);

        Assert.Equal(0, result.ExitCode);
        Assert.Single(Rates().Matches(result.Output));
        Assert.Contains("health", result.Output, StringComparison.Ordinal);
        Assert.Contains(breakwater.Stratum1.EndPoint.ToString(), result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Context_ItsPacUrl_IsServedByTheProxyItNames()
    {
        string proxy = breakwater.EndPoint.ToString();
        CommandResult result = await breakwater.RunAsync(["context", "--proxy", proxy]);

        Assert.Equal(0, result.ExitCode);
        Assert.Contains(
            $"[ucernvm-begin]\ncvmfs_http_proxy=http://{proxy};DIRECT\ncvmfs_pac_urls=http://{proxy}/proxy.pac\n[ucernvm-end]\n",
            result.Output, StringComparison.Ordinal);
        Assert.Contains($"CVMFS_HTTP_PROXY=\"http://{proxy};DIRECT\"\nCVMFS_PAC_URLS=\"http://{proxy}/proxy.pac\"\n", result.Output,
            StringComparison.Ordinal);
        RawResponse pac = await RawHttpClient.GetOnceAsync(breakwater.EndPoint, "/proxy.pac", []);
        Assert.Contains($"PROXY {proxy}; DIRECT", Encoding.ASCII.GetString(pac.Body), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Context_WhereThereIsNoWayOut_NamesNoDirect()
    {
        CommandResult result = await breakwater.RunAsync(["context", "--proxy", "p.example.org:3128", "--no-direct"]);

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("cvmfs_http_proxy=http://p.example.org:3128\n", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(";DIRECT", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("DIRECT", Breakwater.Proxy.ZeroTouch.ZeroTouchEndpoint.Pac(["p:3128"], hasWayOut: false),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Context_SeveralProxies_HasAnotherOrderForEachGroupOfClients()
    {
        CommandResult text = await breakwater.RunAsync(["context", "--proxy", "a:1", "--proxy", "b:1", "--proxy", "c:1"]);
        CommandResult json = await breakwater.RunAsync(["context", "--proxy", "a:1", "--proxy", "b:1", "--no-direct", "--json"]);

        Assert.Contains("cvmfs_http_proxy=http://a:1|http://b:1|http://c:1;DIRECT\n", text.Output, StringComparison.Ordinal);
        Assert.Contains("#    group 1\nCVMFS_HTTP_PROXY=\"http://a:1;http://b:1|http://c:1;DIRECT\"\n", text.Output,
            StringComparison.Ordinal);
        Assert.Contains("#    group 2\nCVMFS_HTTP_PROXY=\"http://b:1;http://c:1|http://a:1;DIRECT\"\n", text.Output,
            StringComparison.Ordinal);
        Assert.Contains("CVMFS_PAC_URLS=\"http://c:1/proxy.pac;http://a:1/proxy.pac;http://b:1/proxy.pac\"\n", text.Output,
            StringComparison.Ordinal);
        using var found = System.Text.Json.JsonDocument.Parse(json.Output);
        Assert.Equal(["http://a:1;http://b:1", "http://b:1;http://a:1"],
            found.RootElement.GetProperty("groups").EnumerateArray().Select(group => group.GetProperty("httpProxy").GetString()));
    }

    [Theory]
    [InlineData("proxy1.example.org:3128", "grid-wpad  IN CNAME proxy1.example.org.\n")]
    [InlineData("10.0.0.5:3128", "wpad       IN A     10.0.0.5\n")]
    [InlineData("[fd00::5]:3128", "wpad       IN AAAA  fd00::5\n")]
    [InlineData("proxy1:3128", "is no full name")]
    public async Task Context_DnsRecord_IsOfTheKindOfTheName(string proxy, string record) =>
        Assert.Contains(record, (await breakwater.RunAsync(["context", "--proxy", proxy])).Output, StringComparison.Ordinal);

    [Theory]
    [InlineData("proxy1.example.org")]
    [InlineData("proxy1.example.org:many")]
    [InlineData("http://proxy1:3128")]
    public async Task Context_NoHostAndPort_IsRefused(string proxy)
    {
        CommandResult result = await breakwater.RunAsync(["context", "--proxy", proxy]);

        Assert.Equal(64, result.ExitCode);
        Assert.Contains($"'{proxy}' is not host:port", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("ucernvm-begin", result.Output, StringComparison.Ordinal);
    }

    private async Task<string?> StateOfAsync(string cluster, string name)
    {
        CommandResult result = await breakwater.RunAsync(["status", "--json"]);
        using JsonDocument status = JsonDocument.Parse(result.Output);
        return status.RootElement.GetProperty("upstreams").EnumerateArray()
            .Single(u => u.GetProperty("cluster").GetString() == cluster && u.GetProperty("name").GetString() == name)
            .GetProperty("state").GetString();
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    [GeneratedRegex(@"\d+ requests/s +[\d.]+ \w+/s to clients")]
    private static partial Regex Rates();
}

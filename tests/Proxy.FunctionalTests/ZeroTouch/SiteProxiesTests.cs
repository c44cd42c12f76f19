using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using Breakwater.Proxy.ZeroTouch;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.ZeroTouch;

/// <summary>What clients of a site with several proxies are told.</summary>
public sealed class SiteProxiesTests : IAsyncLifetime
{
    private static readonly string[] s_three = ["p1.example.org:3128", "p2.example.org:3128", "[fd00::5]:3128"];

    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private ProxyUnderTest _proxy = null!;

    public async Task InitializeAsync() => _proxy = await ProxyUnderTest.StartAsync(Proxies(s_three), null, _upstream);

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [InlineData("/wpad.dat")]
    [InlineData("/proxy.pac")]
    [InlineData("/wpad.dat?x")]
    public async Task Pac_IsAConstantInTheOrderOfTheAddressThatAsks(string target)
    {
        HashSet<string> orders = [];
        for (int host = 1; host <= 20; host++)
        {
            var client = IPAddress.Parse($"127.0.0.{host}");
            RawResponse response = await AskAsync(target, client);
            string expected = string.Join("; ", ProxyOrder.For(s_three, client).Select(proxy => "PROXY " + proxy));

            Assert.Equal($"function FindProxyForURL(url, host) {{\n  return \"{expected}; DIRECT\";\n}}\n",
                Encoding.ASCII.GetString(response.Body));
            Assert.Contains("private", response.Header("Cache-Control"), StringComparison.Ordinal);
            Assert.Equal(response.Body, (await AskAsync(target, client)).Body);
            orders.Add(expected);
        }

        Assert.True(orders.Count > 3, $"only {orders.Count} orders for 20 clients");
    }

    [Fact]
    public async Task Pac_AfterAReload_NamesTheNewProxies()
    {
        _proxy.Change(Proxies("only.example.org:3128"));

        Assert.Contains("\"PROXY only.example.org:3128; DIRECT\"",
            Encoding.ASCII.GetString((await AskAsync("/wpad.dat", IPAddress.Loopback)).Body), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ShardingPac_IsAFileThatIsTheSameForAll()
    {
        byte[] first = (await AskAsync("/sharding.pac", IPAddress.Parse("127.0.0.1"))).Body;

        Assert.Equal(first, (await AskAsync("/sharding.pac", IPAddress.Parse("127.0.0.2"))).Body);
        Assert.Equal(ShardingPac.Text(s_three.Reverse(), hasWayOut: true), Encoding.ASCII.GetString(first));
        Assert.DoesNotContain("DIRECT", ShardingPac.Text(s_three, hasWayOut: false), StringComparison.Ordinal);
    }

    [NodeFact]
    public async Task ShardingPac_InAnInterpreter_SpreadsUrls_AndADeadProxysOverAllOthers()
    {
        const string Ask = """

            var found = {};
            for (var i = 0; i < 30000; i++) {
              var answer = FindProxyForURL("http://s1/cvmfs/os.example.org/data/ab/" + i.toString(16), "s1");
              found[answer] = (found[answer] || 0) + 1;
            }
            console.log(JSON.stringify(found));
            """;
        using Process node = Process.Start(new ProcessStartInfo("node")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        await node.StandardInput.WriteAsync(ShardingPac.Text(s_three, hasWayOut: true) + Ask);
        node.StandardInput.Close();
        string output = await node.StandardOutput.ReadToEndAsync().InTimeAsync();
        await node.WaitForExitAsync().InTimeAsync();

        Dictionary<string, int> found = JsonSerializer.Deserialize<Dictionary<string, int>>(output)!;
        Assert.Equal(6, found.Count);
        Assert.All(found, one => Assert.InRange(one.Value, 4500, 5500));
        Assert.All(found.Keys, answer => Assert.EndsWith("; DIRECT", answer, StringComparison.Ordinal));
    }

    private static Dictionary<string, string?> Proxies(params string[] proxies) =>
        Enumerable.Range(0, 3).ToDictionary(i => $"ZeroTouch:Proxies:{i}", i => proxies.ElementAtOrDefault(i));

    private async Task<RawResponse> AskAsync(string target, IPAddress client)
    {
        using RawHttpClient connection = await RawHttpClient.ConnectFromAsync(client, _proxy.EndPoint);
        await connection.SendAsync(RawHttpClient.Request("GET", target));
        return await connection.ReadResponseAsync();
    }
}

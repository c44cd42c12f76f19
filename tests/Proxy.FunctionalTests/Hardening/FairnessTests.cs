using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>One client that asks for as much as it can takes nothing from another: not its place, not its answer.</summary>
public sealed class FairnessTests
{
    private const int Fetches = 4;
    private const int Many = 200;

    private static readonly IPAddress s_greedy = IPAddress.Parse("127.0.0.2");

    private static readonly string s_hex = Convert.ToHexStringLower(SHA256.HashData([1]));

    /// <summary>What the Stratum 1 never answers, or so late that its clients have long gone.</summary>
    public static TheoryData<string, string> Floods => new()
    {
        { "GET", "/cvmfs/made-up.example.org/data/{0:x2}/{1}" },
        { "GET", "/cvmfs/made-up.example.org/data/{0:x2}/{1}C" },
        { "GET", "/cvmfs/made-up-{0}.example.org/data/ee/{1}" },
        { "HEAD", "/cvmfs/made-up.example.org/data/{0:x2}/{1}" },
        { "GET", "/cvmfs/made-up.example.org/.cvmfsfile{0}" },
        { "GET", "/cvmfs/made-up-{0}.example.org/.cvmfspublished" },
        { "GET", "/cvmfs/made-up.example.org/api/v1.0/geo/{0}/a.org,b.org" },
    };

    [Theory]
    [MemberData(nameof(Floods))]
    public Task Flood_OnTheHitPath_LeavesRoomForAnotherClient(string method, string target) => FloodAsync(method, target, isRawPath: true);

    [Theory]
    [MemberData(nameof(Floods))]
    public Task Flood_OnTheOrdinaryPath_LeavesRoomForAnotherClient(string method, string target) =>
    FloodAsync(method, target, isRawPath: false);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public Task Flood_OfNamesForOneObject_LeavesRoomForAnotherClient(bool isRawPath) =>
        FloodAsync("GET", "/cvmfs/made-up-{0}.example.org/data/ee/{1}", isRawPath, ("Proxy:FirstByteTimeout", "00:00:01"));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Connections_OneClientOpensAllItCan_AnotherIsServed(bool isRawPath)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(1000).On(upstream);
        await using ProxyUnderTest proxy = await StartAsync(upstream, isRawPath, ("Proxy:MaxConnections", "40"));
        List<RawHttpClient> greedy = [];
        try
        {
            for (int i = 0; i < 60; i++)
            {
                try
                {
                    greedy.Add(await RawHttpClient.ConnectFromAsync(s_greedy, proxy.EndPoint));
                }
                catch (SocketException)
                {
                    // One too many, closed before its connect had returned.
                }
            }

            for (int i = 0; i < 3; i++)
            {
                Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
            }
        }
        finally
        {
            greedy.ForEach(client => client.Dispose());
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cluster_ThatIsSilent_LeavesRoomForAnothersClients(bool isRawPath)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        await using ScriptedUpstream silent = ScriptedUpstream.Start();
        silent.Everything = UpstreamBehaviour.NeverAnswers;
        SyntheticObject item = new SyntheticObject(1000).On(upstream);
        await using ProxyUnderTest proxy = await StartAsync(
            upstream, isRawPath, ("Proxy:MaxConcurrentFetches", "16"), ("Repositories:*.example.com:Cluster", "silent"),
            ("ReverseProxy:Clusters:silent:Destinations:s1:Address", silent.Address));
        proxy.EndsBusy();
        List<RawHttpClient> waiting = [];
        try
        {
            for (int i = 0; i < 60; i++)
            {
                RawHttpClient client = await RawHttpClient.ConnectFromAsync(IPAddress.Parse($"127.0.1.{i + 1}"), proxy.EndPoint);
                waiting.Add(client);
                string target = string.Format(CultureInfo.InvariantCulture, "/cvmfs/a.example.com/data/{0:x2}/{1}", i, s_hex[..38]);
                await client.SendAsync(RawHttpClient.Request("GET", target));
            }

            await Waiting.UntilAsync(() => silent.Requests.Count >= 8);
            Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
            Assert.Equal(404, (await proxy.GetAsync("/cvmfs/good.example.org/.cvmfspublished")).Status);
        }
        finally
        {
            waiting.ForEach(client => client.Dispose());
        }
    }

    // Somebody must have asked first: who comes later does not wait behind all the rest that this one wants.
    [Theory]
    [InlineData("/cvmfs/good.example.org/.cvmfsreflog")]
    [InlineData("/cvmfs/good.example.org/.cvmfspublished")]
    [InlineData("/cvmfs/good.example.org/api/v1.0/geo/x/a.org,b.org")]
    public async Task Document_ThatTheGreedyClientAskedForFirst_DoesNotWaitInItsLine(string wanted)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        upstream.Choose = request => request.Path.Contains("made-up", StringComparison.Ordinal)
            ? UpstreamBehaviour.NeverAnswers
            : UpstreamBehaviour.NotFound;
        await using ProxyUnderTest proxy = await StartAsync(upstream, isRawPath: true);
        proxy.EndsBusy();
        List<RawHttpClient> greedy = [];
        try
        {
            for (int i = 0; i <= Many; i++)
            {
                string target = i < Many ? $"/cvmfs/made-up-{i}.example.org/.cvmfspublished" : wanted;
                RawHttpClient client = await RawHttpClient.ConnectFromAsync(s_greedy, proxy.EndPoint);
                greedy.Add(client);
                await client.SendAsync(RawHttpClient.Request("GET", target));
            }

            await Waiting.UntilAsync(() => upstream.Requests.Count(r => r.Path.Contains("made-up", StringComparison.Ordinal)) >= 3);
            RawResponse response = await proxy.GetAsync(wanted).InTimeAsync();

            Assert.NotEqual(504, response.Status);
            string asked = wanted.Replace(".cvmfspublished", ".cvmfswhitelist", StringComparison.Ordinal); // of a pair the first
            Assert.Contains(upstream.Requests, r => r.Path == asked);
        }
        finally
        {
            greedy.ForEach(client => client.Dispose());
        }
    }

    private static async Task FloodAsync(string method, string target, bool isRawPath, params (string Name, string Value)[] settings)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        upstream.Choose = request => request.Path.Contains("made-up", StringComparison.Ordinal)
            ? UpstreamBehaviour.NeverAnswers
            : UpstreamBehaviour.Default;
        SyntheticObject item = new SyntheticObject(1000).On(upstream);
        await using ProxyUnderTest proxy = await StartAsync(upstream, isRawPath, settings);
        proxy.EndsBusy();
        List<RawHttpClient> greedy = [];
        try
        {
            for (int i = 0; i < Many; i++)
            {
                RawHttpClient client = await RawHttpClient.ConnectFromAsync(s_greedy, proxy.EndPoint);
                greedy.Add(client);
                await client.SendAsync(RawHttpClient.Request(method, string.Format(CultureInfo.InvariantCulture, target, i, s_hex[..38])));
            }

            await Waiting.UntilAsync(() => upstream.Requests.Count(r => r.Path.Contains("made-up", StringComparison.Ordinal)) >= 3);
            Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
            Assert.Equal(404, (await proxy.GetAsync("/cvmfs/good.example.org/.cvmfsreflog")).Status);
            Assert.Equal(404, (await proxy.GetAsync("/cvmfs/good.example.org/.cvmfspublished")).Status);
            using RawHttpClient other = await proxy.ConnectAsync();
            Assert.Equal(404, (await other.HeadAsync("/cvmfs/good.example.org/data/ff/" + s_hex[..38])).Status);
        }
        finally
        {
            greedy.ForEach(client => client.Dispose());
        }
    }

    private static Task<ProxyUnderTest> StartAsync(ScriptedUpstream upstream, bool isRawPath, params (string Name, string Value)[] settings)
    {
        var all = new Dictionary<string, string?>(ProxyUnderTest.Patient)
        {
            ["Proxy:RawPath"] = isRawPath.ToString(),
            ["Proxy:MaxConcurrentFetches"] = Fetches.ToString(CultureInfo.InvariantCulture),
        };
        foreach ((string name, string value) in settings)
        {
            all[name] = value;
        }

        return ProxyUnderTest.StartAsync(all, null, upstream);
    }
}

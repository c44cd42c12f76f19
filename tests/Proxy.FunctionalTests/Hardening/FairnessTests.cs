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
        FloodAsync("GET", "/cvmfs/made-up-{0}.example.org/data/ee/{1}", isRawPath, ("Proxy:FirstByteTimeout", "00:00:00.200"));

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

using System.Net;
using System.Text;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.FunctionalTests.Http;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>
/// Behind a balancer: the client that it names counts, on the event loops and on Kestrel's own sockets, for hits and misses. Here
/// 127.0.0.9 is the balancer and 127.0.0.1 anybody else.
/// </summary>
public sealed class BalancerTests : IAsyncLifetime
{
    private static readonly IPAddress s_balancer = IPAddress.Parse("127.0.0.9");

    private static readonly byte[] s_version2 =
        [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x11, 0, 12, 10, 1, 2, 3, 10, 0, 0, 1, 0xC3, 0x50, 0x0C, 0x38];

    private readonly TemporaryDirectory _directory = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private readonly SyntheticObject _item = new(5_000);

    public static TheoryData<bool> BothPaths => [true, false];

    private string Log => _directory.Combine("access.log");

    public Task InitializeAsync()
    {
        _item.On(_upstream);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _upstream.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [MemberData(nameof(BothPaths))]
    public async Task ProxyHeader_OfABalancer_TellsWhoAsksForAccessAndLog(bool rawPath)
    {
        await using ProxyUnderTest proxy = await StartAsync(rawPath, ("Access:Clients:0", "10.1.2.3/32"), ("AccessLog:Path", Log));
        byte[] version1 = Encoding.ASCII.GetBytes("PROXY TCP4 10.1.2.3 10.0.0.1 50000 3128\r\n");
        byte[] request = RawHttpClient.Request("GET", _item.Url);
        foreach (byte[] header in (byte[][])[version1, s_version2])
        {
            // In one segment, a miss or a hit; then a hit on the same connection.
            using RawHttpClient whole = await FromBalancerAsync(proxy);
            await whole.SendAsync((byte[])[.. header, .. request, .. request]);
            Assert.Equal(_item.Bytes, (await whole.ReadResponseAsync()).Body);
            Assert.Equal(_item.Bytes, (await whole.ReadResponseAsync()).Body);
            Assert.Equal(_item.Bytes, (await whole.GetAsync(_item.Url, "Cache-Control: no-cache")).Body);

            using RawHttpClient slow = await FromBalancerAsync(proxy);
            foreach (byte one in header)
            {
                await slow.SendAsync((byte[])[one]);
            }

            Assert.Equal(_item.Bytes, (await slow.GetAsync(_item.Url)).Body);
        }

        using RawHttpClient refused = await FromBalancerAsync(proxy);
        await refused.SendAsync((byte[])[.. "PROXY TCP4 10.1.2.4 10.0.0.1 50000 3128\r\n"u8, .. request]);
        Assert.Equal(403, (await refused.ReadResponseAsync()).Status);

        await Waiting.UntilAsync(() => Lines().Length == 9);
        Assert.Equal(8, Lines().Count(line => line.Contains("10.1.2.3 ", StringComparison.Ordinal)));
        Assert.Single(Lines(), line => line.Contains("10.1.2.4 ", StringComparison.Ordinal)); // a line may come late
    }

    [Theory]
    [InlineData(true, "127.0.0.9/32", "PROXY TCP4 10.1.2.3 10.0.0.1 50000 3128\r\n")]
    [InlineData(false, "127.0.0.9/32", "PROXY TCP4 10.1.2.3 10.0.0.1 50000 3128\r\n")]
    [InlineData(true, "127.0.0.9/32", "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\f\n\u0001\u0002\u0003\n\0\0\u0001\0\u0001\0\u0001")]
    [InlineData(false, "127.0.0.9/32", "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\f\n\u0001\u0002\u0003\n\0\0\u0001\0\u0001\0\u0001")]
    [InlineData(true, "127.0.0.1/32", "")]
    [InlineData(false, "127.0.0.1/32", "")]
    [InlineData(true, "127.0.0.1/32", "PROXY TCP4 10.1.2.3 10.0.0.1 50000\r\n")]
    [InlineData(false, "127.0.0.1/32", "PROXY TCP4 10.1.2.3 10.0.0.1 50000\r\n")]
    [InlineData(true, "127.0.0.1/32", "PROXY TCP4 10.1.2.3 10.0.0.1 50000 3128\r\nPROXY TCP4 10.1.2.3 10.0.0.1 50000 3128\r\n")]
    [InlineData(true, "", "PROXY TCP4 10.1.2.3 10.0.0.1 50000 3128\r\n")]
    public async Task ProxyHeader_MissingWrongTwiceOrOfSomebodyElse_IsABadRequestAndRecorded(bool rawPath, string networks, string header)
    {
        await using ProxyUnderTest proxy = await StartAsync(rawPath, ("Proxy:ProxyProtocol:0", networks.Length > 0 ? networks : "::1/128"));
        RequestRecorder recorder = proxy.Services.GetRequiredService<RequestRecorder>();
        using RawHttpClient client = await proxy.ConnectAsync();

        await client.SendAsync((byte[])[.. Encoding.Latin1.GetBytes(header), .. RawHttpClient.Request("GET", _item.Url)]);
        RawResponse answer = await client.ReadResponseAsync();

        Assert.Equal((400, "close", true), (answer.Status, answer.Header("Connection"), answer.IsComplete));
        Assert.Contains("PROXY protocol", Encoding.ASCII.GetString(answer.Body), StringComparison.Ordinal);
        Assert.True(await client.IsClosedByServerAsync());
        await Waiting.UntilAsync(() => recorder.TotalOf(RequestResult.Refused).Requests == 1);
        Assert.Empty(_upstream.Requests);
    }

    [Theory]
    [InlineData(true, "PROXY UNKNOWN\r\n")]
    [InlineData(false, "PROXY UNKNOWN\r\n")]
    [InlineData(true, "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0")]
    [InlineData(false, "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0")]
    public async Task ProxyHeader_OfTheBalancerItself_LeavesItsOwnAddress(bool rawPath, string header)
    {
        await using ProxyUnderTest proxy = await StartAsync(rawPath, ("Access:Clients:0", "127.0.0.9/32"));
        using RawHttpClient client = await FromBalancerAsync(proxy);

        await client.SendAsync(header);
        Assert.Equal(200, (await client.GetAsync(_item.Url)).Status);
    }

    [Theory]
    [InlineData(true, "PROXY TCP4 10.1", 408)]
    [InlineData(false, "PROXY TCP4 10.1", 408)]
    [InlineData(true, "", 0)]
    [InlineData(false, "", 0)]
    public async Task ProxyHeader_ThatNeverEnds_IsNotWaitedFor(bool rawPath, string beginning, int expected)
    {
        await using ProxyUnderTest proxy = await StartAsync(rawPath, ("Proxy:RequestHeadTimeout", "00:00:01"));
        using RawHttpClient client = await FromBalancerAsync(proxy);

        await client.SendAsync(beginning);

        Assert.Equal(expected, expected == 0 ? 0 : (await client.ReadResponseAsync()).Status);
        Assert.True(await client.IsClosedByServerAsync());
    }

    [Theory]
    [MemberData(nameof(BothPaths))]
    public async Task ConnectionsOfAClient_BehindABalancer_AreCountedForTheClient(bool rawPath)
    {
        await using ProxyUnderTest proxy = await StartAsync(rawPath, ("Access:MaxConnectionsPerClient", "1"));
        RawHttpClient first = await NamedAsync(proxy, "10.1.2.3");
        Assert.Equal(200, (await first.GetAsync(_item.Url)).Status);
        using RawHttpClient other = await NamedAsync(proxy, "10.1.2.4");
        Assert.Equal(200, (await other.GetAsync(_item.Url)).Status);
        Assert.False(await IsServedAsync(proxy, "10.1.2.3"));

        first.Dispose();
        await Waiting.UntilAsync(() => IsServedAsync(proxy, "10.1.2.3"));
    }

    [Theory]
    [MemberData(nameof(BothPaths))]
    public async Task Tunnel_BehindABalancer_IsTheClients(bool rawPath)
    {
        string authority = _upstream.EndPoint.ToString()!;
        await using ProxyUnderTest proxy = await StartAsync(
            rawPath,
            ("Access:Clients:0", "10.1.2.3/32"),
            ("Access:Connect:0", authority),
            ("Access:AllowedUpstreams:0", "127.0.0.1/32"));
        foreach ((string client, int expected) in ((string, int)[])[("10.1.2.3", 200), ("10.1.2.4", 403)])
        {
            using RawHttpClient tunnel = await NamedAsync(proxy, client);
            await tunnel.SendAsync($"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n");

            Assert.Equal(expected, (await tunnel.ReadHeadAsync()).Status);
        }
    }

    [Theory]
    [MemberData(nameof(BothPaths))]
    public async Task ForwardedFor_OfABalancer_TellsWhoAsksInOriginFormOnly(bool rawPath)
    {
        await using ProxyUnderTest proxy = await StartAsync(
            rawPath, ("Proxy:ForwardedFor:0", "127.0.0.1/32"), ("AccessLog:Path", Log));
        using RawHttpClient client = await proxy.ConnectAsync();
        foreach (string who in (string[])["10.1.2.3", "10.1.2.4"])
        {
            Assert.Equal(200, (await client.GetAsync(_item.Path, "X-Forwarded-For: 10.9.9.9", $"X-Forwarded-For: {who}")).Status);
            Assert.Equal(200, (await client.GetAsync(_item.Path, $"x-forwarded-for: 10.9.9.9, {who}, 127.0.0.1")).Status);
            await LinesAsync(who, 2);
        }

        Assert.Equal(200, (await client.GetAsync(_item.Url, "X-Forwarded-For: 10.1.2.5")).Status);
        Assert.Equal(200, (await client.GetAsync(_item.Path)).Status);
        await LinesAsync("127.0.0.1", 2);
        Assert.All(_upstream.Requests, request => Assert.Null(request.Header("X-Forwarded-For")));
    }

    [Theory]
    [MemberData(nameof(BothPaths))]
    public async Task Boots_OfVmsBehindBalancers_AreEachVms(bool rawPath)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving(FixtureRepository.Tiny);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>
            {
                ["Proxy:RawPath"] = rawPath.ToString(),
                ["Proxy:ProxyProtocol:0"] = "127.0.0.9/32",
                ["Proxy:ForwardedFor:0"] = "127.0.0.1/32",
            },
            null,
            upstream);
        string[] files = [.. FixtureRepository.Tiny.Files.Keys.Where(file => file.StartsWith("data/", StringComparison.Ordinal))];
        using RawHttpClient shared = await proxy.ConnectAsync();
        using RawHttpClient third = await NamedAsync(proxy, "10.1.2.5");
        foreach (string path in files.Prepend(".cvmfspublished").Select(FixtureRepository.Tiny.UrlPath))
        {
            Assert.Equal(200, (await shared.GetAsync(path, "X-Forwarded-For: 10.1.2.3")).Status);
            Assert.Equal(200, (await shared.GetAsync(path, "X-Forwarded-For: 10.1.2.4")).Status);
            Assert.Equal(200, (await third.GetAsync(path)).Status);
        }

        BootTimelines boots = proxy.Services.GetRequiredService<BootTimelines>();
        await Waiting.UntilAsync(() => boots.Snapshot().Boots.Count() == 3);
        IEnumerable<string> clients = boots.Snapshot().Boots.Select(boot => boot.ClientText);
        Assert.Equal(["10.1.2.3", "10.1.2.4", "10.1.2.5"], clients.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(BothPaths))]
    public async Task ForwardedFor_OfAnybodyElse_SaysNothing(bool rawPath)
    {
        await using ProxyUnderTest proxy = await StartAsync(
            rawPath, ("Proxy:ForwardedFor:0", "127.0.0.9/32"), ("AccessLog:Path", Log), ("Access:Clients:0", "10.0.0.0/8"));

        Assert.Equal(403, (await proxy.GetAsync(_item.Path, "X-Forwarded-For: 10.1.2.3")).Status);
        await LinesAsync("127.0.0.1", 1);
    }

    [Theory]
    [MemberData(nameof(BothPaths))]
    public async Task ForwardedFor_OfOrdinaryHttp_GoesOnOnlyWhereABalancerSaidIt(bool rawPath)
    {
        string? seen = null;
        await using HttpOrigin origin = await HttpOrigin.StartAsync(context =>
        {
            IHeaderDictionary told = context.Request.Headers;
            seen = $"{told["X-Forwarded-For"]};{told["X-Real-IP"]};{told["Forwarded"]}";
            context.Response.Headers.CacheControl = "no-store";
            return context.Response.WriteAsync("page");
        });
        await using ProxyUnderTest proxy = await StartAsync(
            rawPath,
            ("Http:Sites:*:Origin", origin.Address),
            ("Proxy:ForwardedFor:0", "127.0.0.9/32"),
            ("Proxy:ProxyProtocol:0", "::1/128"));
        string[] fields =
            ["X-Forwarded-For: 10.9.9.9, 10.1.2.3", "X-Real-IP: 10.9.9.9", "Forwarded: for=10.9.9.9;proto=https", "Authorization: mine"];

        Assert.Equal(200, (await proxy.GetAsync("/page", fields)).Status);
        Assert.Equal(";;", seen);

        using RawHttpClient balancer = await FromBalancerAsync(proxy);
        Assert.Equal(200, (await balancer.GetAsync("/page", fields)).Status);
        Assert.Equal("10.1.2.3;;", seen);
    }

    private Task<ProxyUnderTest> StartAsync(bool rawPath, params (string Name, string Value)[] settings)
    {
        Dictionary<string, string?> all =
            new() { ["Proxy:ProxyProtocol:0"] = "127.0.0.9/32", ["Proxy:RawPath"] = rawPath.ToString() };
        foreach ((string name, string value) in settings)
        {
            all[name] = value;
        }

        return ProxyUnderTest.StartAsync(all, null, _upstream);
    }

    private static Task<RawHttpClient> FromBalancerAsync(ProxyUnderTest proxy) =>
        RawHttpClient.ConnectFromAsync(s_balancer, proxy.EndPoint);

    private static async Task<RawHttpClient> NamedAsync(ProxyUnderTest proxy, string client)
    {
        RawHttpClient connection = await FromBalancerAsync(proxy);
        await connection.SendAsync($"PROXY TCP4 {client} 10.0.0.1 50000 3128\r\n");
        return connection;
    }

    private async Task<bool> IsServedAsync(ProxyUnderTest proxy, string client)
    {
        try
        {
            using RawHttpClient connection = await NamedAsync(proxy, client);
            return (await connection.GetAsync(_item.Url)).Status == 200;
        }
        catch (Exception e) when (e is EndOfStreamException or System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    private async Task LinesAsync(string client, int count)
    {
        await Waiting.UntilAsync(() => Lines().Length > 0 && Lines()[^1].Contains(client + " ", StringComparison.Ordinal)
            && Lines().Count(line => line.Contains(client + " ", StringComparison.Ordinal)) == count);
    }

    private string[] Lines()
    {
        if (!File.Exists(Log))
        {
            return [];
        }

        using var reader = new StreamReader(new FileStream(Log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}

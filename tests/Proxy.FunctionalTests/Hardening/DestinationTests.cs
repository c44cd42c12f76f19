using System.Net;
using System.Net.Sockets;
using System.Text;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>Hosts besides CernVM-FS, tunnels, and addresses that nobody may reach through this proxy.</summary>
public sealed class DestinationTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _site = ScriptedUpstream.Start();
    private readonly byte[] _page = Encoding.ASCII.GetBytes("a page");

    private string PageUrl => _site.Address + "page?x=1";

    public Task InitializeAsync()
    {
        _site.Put("/page", _page);
        return Task.CompletedTask;
    }

    public Task DisposeAsync() => _site.DisposeAsync().AsTask();

    [Fact]
    public async Task Destination_InTheList_IsPassedThroughAndNeverStored()
    {
        await using ProxyUnderTest proxy =
            await StartAsync(("Access:Destinations:0", _site.EndPoint.ToString()), ("Access:AllowedUpstreams:0", "127.0.0.1/32"));

        for (int i = 1; i <= 2; i++)
        {
            RawResponse response = await proxy.GetAsync(PageUrl, "Authorization: Bearer mine", "Proxy-Authorization: Basic eDp5");
            Assert.Equal(200, response.Status);
            Assert.Equal(_page, response.Body);
            UpstreamRequest seen = _site.Requests[^1];
            Assert.Equal((i, "/page?x=1", "Bearer mine", (string?)null),
                (_site.Requests.Count, seen.Target, seen.Header("Authorization"), seen.Header("Proxy-Authorization")));
        }

        Assert.Equal(405, (await PostAsync(proxy)).Status);
        Assert.Equal(2, _site.Requests.Count);
    }

    [Fact]
    public async Task Destination_AskedToUpgrade_IsAskedOrdinarily()
    {
        await using ProxyUnderTest proxy =
            await StartAsync(("Access:Destinations:0", _site.EndPoint.ToString()), ("Access:AllowedUpstreams:0", "127.0.0.1/32"));
        using RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync($"GET {PageUrl} HTTP/1.1\r\nHost: {_site.EndPoint}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");

        RawResponse response = await client.ReadResponseAsync();

        Assert.Equal(200, response.Status);
        Assert.Equal(_page, response.Body);
        UpstreamRequest seen = Assert.Single(_site.Requests);
        Assert.Equal(((string?)null, (string?)null), (seen.Header("Upgrade"), seen.Header("Connection")));
    }

    [Theory]
    [InlineData("cvmfs/other.example.net/.cvmfspublished")]
    [InlineData("/cvmfs/other.example.net/.cvmfspublished")]
    public async Task Destination_PathOfARepository_IsForTheRepositoriesRules(string path)
    {
        await using ProxyUnderTest proxy =
            await StartAsync(("Access:Destinations:0", _site.EndPoint.ToString()), ("Access:AllowedUpstreams:0", "127.0.0.1/32"));

        Assert.InRange((await proxy.GetAsync(_site.Address + path)).Status, 400, 404);
        Assert.Empty(_site.Requests);
    }

    [Fact]
    public async Task Destination_NoneByDefaultOrAnotherPort_IsRefusedUnasked()
    {
        await using ProxyUnderTest none = await StartAsync(("Access:AllowedUpstreams:0", "127.0.0.0/8"));
        await using ProxyUnderTest otherPort =
            await StartAsync(("Access:Destinations:0", "127.0.0.1:1"), ("Access:Destinations:1", "*.example.net"),
            ("Access:AllowedUpstreams:0", "127.0.0.0/8"));

        Assert.Equal(403, (await none.GetAsync(_site.Address + "page")).Status);
        Assert.Equal(403, (await otherPort.GetAsync(_site.Address + "page")).Status);
        Assert.Equal(400, (await otherPort.GetAsync(PageUrl)).Status);
        Assert.Equal(403, (await otherPort.GetAsync("http://example.net/")).Status);
        Assert.Empty(_site.Requests);
    }

    [Fact]
    public async Task Destination_Redirect_IsTheClientsAndItsNextRequestIsCheckedAgain()
    {
        await using ScriptedUpstream secret = ScriptedUpstream.Start();
        secret.Put("/latest/meta-data", _page);
        _site.Script("/page", new UpstreamBehaviour { RedirectTo = secret.Address + "latest/meta-data" });
        await using ProxyUnderTest proxy =
            await StartAsync(("Access:Destinations:0", _site.EndPoint.ToString()), ("Access:AllowedUpstreams:0", "127.0.0.1/32"));

        RawResponse redirect = await proxy.GetAsync(PageUrl);

        Assert.Equal(302, redirect.Status);
        Assert.Equal(403, (await proxy.GetAsync(redirect.Header("Location")!)).Status);
        Assert.Empty(secret.Requests);
    }

    [Fact]
    public async Task Stratum1_Redirect_IsNotFollowed()
    {
        await using ScriptedUpstream secret = ScriptedUpstream.Start();
        await using ScriptedUpstream stratum1 = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(3_000).On(secret);
        stratum1.Everything = new UpstreamBehaviour { RedirectTo = secret.Address + item.Path[1..] };
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(stratum1);

        Assert.Equal(502, (await proxy.GetAsync(item.Url)).Status);
        Assert.Equal(502, (await proxy.GetAsync("http://s1/cvmfs/synthetic.example.org/external/file")).Status);
        Assert.Empty(secret.Requests);
    }

    public static TheoryData<string> HostsThatAreThisMachine =>
        ["127.0.0.1", "localhost", "127.1.2.3", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0", "[::]", "169.254.169.254", "[fe80::1]",
        "100.100.100.200", Dns.GetHostName()];

    [Theory]
    [MemberData(nameof(HostsThatAreThisMachine))]
    public async Task Address_LoopbackLinkLocalMetadataOrOwn_IsNotConnectedThoughItsNameIsInTheList(string host)
    {
        using Socket trap = Trap();
        int port = ((IPEndPoint)trap.LocalEndPoint!).Port;
        string authority = $"{host}:{port}";
        await using ProxyUnderTest proxy = await StartAsync(("Access:Destinations:0", authority), ("Access:Connect:0", authority));

        RawResponse get = await proxy.GetAsync($"http://{authority}/latest/meta-data");
        using RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync($"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
        RawResponse connect = await client.ReadResponseAsync();

        Assert.Equal(502, connect.Status);
        Assert.True(get.Status is 502 or 400);
        Assert.False(trap.Poll(0, SelectMode.SelectRead), "It was connected.");
    }

    [Fact]
    public async Task Stratum1_WhoseNameResolvesToThisMachine_IsNotConnectedUnlessConfigured()
    {
        using Socket trap = Trap();
        string address = $"http://{Dns.GetHostName()}:{((IPEndPoint)trap.LocalEndPoint!).Port}/";
        SyntheticObject item = new(3_000);
        await using ProxyUnderTest proxy = await StartAsync(("ReverseProxy:Clusters:test:Destinations:s1:Address", address));

        Assert.Equal(502, (await proxy.GetAsync(item.Url)).Status);
        Assert.False(trap.Poll(0, SelectMode.SelectRead), "It was connected.");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Connect_InTheList_IsATunnelBothWaysToItsEnd(bool rawPath)
    {
        using Socket server = Trap(IPAddress.Loopback);
        string authority = server.LocalEndPoint!.ToString()!;
        await using ProxyUnderTest proxy =
            await StartAsync(("Access:Connect:0", authority), ("Access:AllowedUpstreams:0", "127.0.0.1/32"),
            ("Proxy:RawPath", rawPath.ToString()));
        using RawHttpClient client = await proxy.ConnectAsync();

        // Split anywhere, with bytes behind the head that are the tunnel's already.
        await client.SendAsync("CONN");
        await client.SendAsync($"ECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\nhello ");
        using Socket accepted = await server.AcceptAsync().InTimeAsync();
        Assert.Equal(200, (await client.ReadHeadAsync()).Status);
        await client.SendAsync("server");
        byte[] heard = new byte[12];
        for (int n = 0; n < heard.Length;)
        {
            n += await accepted.ReceiveAsync(heard.AsMemory(n)).InTimeAsync();
        }

        Assert.Equal("hello server", Encoding.ASCII.GetString(heard));
        byte[] big = new SyntheticObject(3 << 20).Bytes;
        Task<byte[]> reading = client.ReadExactlyAsync(big.Length);
        await new NetworkStream(accepted).WriteAsync(big).AsTask().InTimeAsync();
        Assert.Equal(big, await reading);
        client.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await accepted.ReceiveAsync(heard).InTimeAsync());
        await accepted.SendAsync("bye"u8.ToArray()).InTimeAsync();
        Assert.Equal("bye"u8.ToArray(), await client.ReadExactlyAsync(3));
        accepted.Shutdown(SocketShutdown.Send);
        Assert.True(await client.IsClosedByServerAsync());
    }

    [Fact]
    public async Task Connect_NotInTheList_IsRefused()
    {
        string authority = _site.EndPoint.ToString();
        await using ProxyUnderTest none = await StartAsync(("Access:AllowedUpstreams:0", "127.0.0.0/8"));
        await using ProxyUnderTest other =
            await StartAsync(("Access:Connect:0", "www.example.org"), ("Access:Destinations:0", authority),
            ("Access:AllowedUpstreams:0", "127.0.0.0/8"));
        await using ProxyUnderTest password =
            await StartAsync(("Access:Connect:0", authority), ("Access:Users:alice", "secret"),
            ("Access:AllowedUpstreams:0", "127.0.0.0/8"));
        await using ProxyUnderTest client =
            await StartAsync(("Access:Connect:0", authority), ("Access:Clients:0", "10.0.0.0/8"),
            ("Access:AllowedUpstreams:0", "127.0.0.0/8"));

        Assert.Equal(405, await ConnectStatusAsync(none, authority));
        Assert.Equal(403, await ConnectStatusAsync(other, authority));
        Assert.Equal(403, await ConnectStatusAsync(other, "www.example.org:80"));
        Assert.Equal(400, await ConnectStatusAsync(other, "user@www.example.org:443"));
        Assert.Equal(407, await ConnectStatusAsync(password, authority));
        Assert.Equal(403, await ConnectStatusAsync(client, authority));
        Assert.Equal(0, _site.ConnectionsAccepted);
    }

    // 21: who is refused is to read which setting allows it.
    [Theory]
    [InlineData(null)]
    [InlineData("www.example.org")]
    public async Task Connect_Refused_NamesTheSettingThatAllowsIt(string? allowed)
    {
        await using ProxyUnderTest proxy = allowed is null ? await StartAsync() : await StartAsync(("Access:Connect:0", allowed));
        using RawHttpClient client = await proxy.ConnectAsync();

        await client.SendAsync("CONNECT other.example.org:443 HTTP/1.1\r\nHost: other.example.org:443\r\n\r\n");

        Assert.Contains("Access:Connect", Encoding.UTF8.GetString((await client.ReadResponseAsync()).Body), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_Allowed_OtherRequestsTakeTheirOrdinaryWay()
    {
        await using ScriptedUpstream stratum1 = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(3_000).On(stratum1);
        await using ProxyUnderTest proxy =
            await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Access:Connect:0"] = "www.example.org" }, null, stratum1);
        using RawHttpClient client = await proxy.ConnectAsync();

        // One byte alone may still become CONNECT.
        byte[] request = RawHttpClient.Request("GET", item.Url);
        await client.SendAsync(request.AsMemory(0, 1));
        await client.SendAsync(request.AsMemory(1));
        Assert.Equal(item.Bytes, (await client.ReadResponseAsync()).Body);
        Assert.Equal(item.Bytes, (await client.GetAsync(item.Url)).Body);
    }

    private static async Task<int> ConnectStatusAsync(ProxyUnderTest proxy, string authority)
    {
        using RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync($"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
        return (await client.ReadResponseAsync()).Status;
    }

    private static Socket Trap(IPAddress? address = null)
    {
        Socket socket = new(address?.AddressFamily ?? AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
        if (address is null)
        {
            socket.DualMode = true;
        }

        socket.Bind(new IPEndPoint(address ?? IPAddress.IPv6Any, 0));
        socket.Listen();
        return socket;
    }

    private async Task<RawResponse> PostAsync(ProxyUnderTest proxy)
    {
        using RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync(RawHttpClient.Request("POST", PageUrl, "Content-Length: 0"));
        return await client.ReadResponseAsync();
    }

    private static Task<ProxyUnderTest> StartAsync(params (string Name, string Value)[] settings)
    {
        Dictionary<string, string?> all = settings.ToDictionary(s => s.Name, string? (s) => s.Value);
        all.TryAdd("ReverseProxy:Clusters:test:Destinations:s1:Address", "http://127.0.0.1:9/");
        return ProxyUnderTest.StartAsync(all, null);
    }
}

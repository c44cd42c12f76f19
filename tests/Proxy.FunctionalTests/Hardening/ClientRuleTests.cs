using System.Net;
using System.Text;
using Breakwater.CacheStore.Spooling;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>
/// Who may ask, for which repositories, how often, with which password: over real sockets, hits and misses, on both paths.
/// </summary>
public sealed class ClientRuleTests : IAsyncLifetime
{
    private static readonly IPAddress s_other = IPAddress.Parse("127.0.0.9");
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private readonly SyntheticObject _item = new(5_000);

    public static TheoryData<bool> BothPaths => [true, false];

    public Task InitializeAsync()
    {
        _item.On(_upstream);
        return Task.CompletedTask;
    }

    public Task DisposeAsync() => _upstream.DisposeAsync().AsTask();

    [Theory]
    [MemberData(nameof(BothPaths))]
    public async Task Client_OutsideTheNetworks_IsRefusedHitOrMiss(bool rawPath)
    {
        await using ProxyUnderTest proxy = await StartAsync(rawPath, ("Access:Clients:0", "127.0.0.1/32"));

        Assert.Equal(403, await StatusFromAsync(s_other, proxy));
        Assert.Empty(_upstream.Requests);
        Assert.Equal(200, await StatusFromAsync(IPAddress.Loopback, proxy));
        Assert.Equal(403, await StatusFromAsync(s_other, proxy));
    }

    [Theory]
    [InlineData("::1/128", 200)]
    [InlineData("127.0.0.0/8", 403)]
    [InlineData("2001:db8::/32", 403)]
    public async Task Client_OverIpV6_IsHeldAgainstTheNetworksOfIpV6(string network, int expected)
    {
        await using ProxyUnderTest proxy = await StartAsync(true, ("Access:Clients:0", network), ("Proxy:Listen:0", "[::1]:0"));

        Assert.Equal(expected, (await proxy.GetAsync(_item.Url)).Status);
    }

    [Theory]
    [InlineData("127.0.0.0/8", 200)]
    [InlineData("::/0", 403)]
    public async Task Client_OverIpV4OnADualStackListener_CountsAsIpV4(string network, int expected)
    {
        await using ProxyUnderTest proxy = await StartAsync(true, ("Access:Clients:0", network), ("Proxy:Listen:0", "[::]:0"));
        using RawHttpClient client = await RawHttpClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, proxy.EndPoint.Port));

        Assert.Equal(expected, (await client.GetAsync(_item.Url)).Status);
    }

    [Theory]
    [InlineData("synthetic.example.org", 200)]
    [InlineData("deep.synthetic.example.org", 200)]
    [InlineData("example.org", 403)]
    [InlineData("synthetic.evilexample.org", 403)]
    [InlineData("synthetic.example.org.evil.net", 403)]
    [InlineData("one.example.net", 200)]
    [InlineData("two.example.net", 403)]
    public async Task Repository_OutsideThePatterns_IsRefusedThoughItsObjectIsHeld(string fqrn, int expected)
    {
        await using ProxyUnderTest proxy = await StartAsync(true, ("Repositories:one.example.net:Cluster", "test"));
        Assert.Equal(200, (await proxy.GetAsync(_item.Url)).Status);
        int asked = _upstream.Requests.Count;

        RawResponse response = await proxy.GetAsync($"http://s1.example.org/cvmfs/{fqrn}/{_item.Key.ToPath()}");

        Assert.Equal((expected, asked), (response.Status, _upstream.Requests.Count));
    }

    [Theory]
    [MemberData(nameof(BothPaths))]
    public async Task Password_IsAskedForHitOrMiss(bool rawPath)
    {
        await using ProxyUnderTest proxy = await StartAsync(rawPath, ("Access:Users:alice", "secret"));

        RawResponse unknown = await proxy.GetAsync(_item.Url);
        Assert.Equal((407, "Basic realm=\"CernVM-FS\", charset=\"UTF-8\""), (unknown.Status, unknown.Header("Proxy-Authenticate")));
        Assert.Equal(407, (await proxy.GetAsync(_item.Url, Basic("alice:wrong"))).Status);
        Assert.Empty(_upstream.Requests);
        Assert.Equal(_item.Bytes, (await proxy.GetAsync(_item.Url, Basic("alice:secret"))).Body);
        Assert.Equal(_item.Bytes, (await proxy.GetAsync(_item.Url, Basic("alice:secret"))).Body);
        Assert.Equal(407, (await proxy.GetAsync(_item.Url)).Status);
        Assert.Null(Assert.Single(_upstream.Requests).Header("Proxy-Authorization"));
    }

    [Theory]
    [MemberData(nameof(BothPaths))]
    public async Task Connections_OneTooManyOfAClient_IsClosedAndOthersAreServed(bool rawPath)
    {
        await using ProxyUnderTest proxy = await StartAsync(rawPath, ("Access:MaxConnectionsPerClient", "2"));
        using RawHttpClient first = await proxy.ConnectAsync();
        RawHttpClient second = await proxy.ConnectAsync();
        Assert.Equal((200, 200), ((await first.GetAsync(_item.Url)).Status, (await second.GetAsync(_item.Url)).Status));

        Assert.True(await EndsWithoutAnswerAsync(proxy));
        Assert.Equal(200, await StatusFromAsync(s_other, proxy));
        Assert.Equal(200, (await first.GetAsync(_item.Url)).Status);

        // The place of one that left is free as soon as the proxy has seen it leave.
        second.Dispose();
        await Waiting.UntilAsync(async () => !await EndsWithoutAnswerAsync(proxy));
    }

    [Theory]
    [MemberData(nameof(BothPaths))]
    public async Task Requests_FasterThanTheLimit_WaitThenAreRefusedAndOthersAreServed(bool rawPath)
    {
        FakeTimeProvider time = new(DateTimeOffset.UtcNow);
        await using ProxyUnderTest proxy =
            await ProxyUnderTest.StartAsync(Settings(rawPath, ("Access:MaxRequestsPerSecondPerClient", "1")), time, _upstream);
        Assert.Equal(200, (await proxy.GetAsync(_item.Url)).Status);
        RawHttpClient[] clients = [.. await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => proxy.ConnectAsync()))];

        // What a client is known by is forgotten with its last connection: these four are open together.
        Task<RawResponse>[] answers = [.. clients.Select(c => c.GetAsync(_item.Url))];
        answers = [.. answers, .. clients.Select(_ => proxy.GetAsync(_item.Url))];
        await Waiting.UntilAsync(() => Array.Exists(answers, a => a is { IsCompletedSuccessfully: true, Result.Status: 429 }));
        Assert.Equal(200, await StatusFromAsync(s_other, proxy));
        await Waiting.UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return Array.TrueForAll(answers, a => a.IsCompleted);
        });

        RawResponse[] all = await Task.WhenAll(answers);
        Assert.All(all, a => Assert.True(a.Status is 200 or 429));
        Assert.All(all.Where(a => a.Status == 429), a => Assert.Equal("2", a.Header("Retry-After")));
        Assert.InRange(all.Count(a => a.Status == 200), 3, 7);
        clients.ToList().ForEach(c => c.Dispose());
    }

    [Fact]
    public async Task Authorization_Request_GoesToTheNamedHostAloneAndNothingIsStored()
    {
        await using ScriptedUpstream other = ScriptedUpstream.Start();
        _item.On(other);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(Settings(true), null, _upstream, other);
        string url = $"http://{_upstream.EndPoint}{_item.Path}";

        for (int i = 1; i <= 2; i++)
        {
            RawResponse response = await proxy.GetAsync(url, "Authorization: Bearer mine");
            Assert.Equal(_item.Bytes, response.Body);
            Assert.Contains("no-store", response.Header("Cache-Control"), StringComparison.Ordinal);
            Assert.Equal(i, _upstream.RequestCount(_item.Path));
            Assert.Equal("Bearer mine", _upstream.Requests[^1].Header("Authorization"));
        }

        Assert.False(proxy.Store.Contains(_item.Key));
        Assert.Empty(other.Requests);

        // Named by no client, it is not told the password; and what is fetched without one is for everybody.
        Assert.Equal(200, (await proxy.GetAsync(_item.Path, "Authorization: Bearer mine")).Status);
        Assert.Null(_upstream.Requests[^1].Header("Authorization"));
        Assert.False(proxy.Store.Contains(_item.Key));
        Assert.Equal(_item.Bytes, (await proxy.GetAsync(url)).Body);
        Assert.Null(_upstream.Requests[^1].Header("Authorization"));
    }

    [Fact]
    public async Task Authorization_WrongBytes_AreNotSent()
    {
        _upstream.Everything = UpstreamBehaviour.FlipsBitAt(9);
        await using ProxyUnderTest proxy = await StartAsync(true);

        RawResponse response = await proxy.GetAsync($"http://{_upstream.EndPoint}{_item.Path}", "Authorization: Bearer mine");

        Assert.Equal((502, "502:"), (response.Status, Encoding.UTF8.GetString(response.Body)[..4]));
        Assert.False(proxy.Store.Contains(_item.Key));
    }

    [Fact]
    public async Task Authorization_AllBytesAndThenABadEnd_IsNotAnEmptyObject()
    {
        _upstream.Everything = new UpstreamBehaviour { DeclaredLength = _item.Bytes.Length + 1 };
        await using ProxyUnderTest proxy = await StartAsync(true);

        RawResponse response = await proxy.GetAsync($"http://{_upstream.EndPoint}{_item.Path}", "Authorization: Bearer mine");

        Assert.Equal((502, "502:"), (response.Status, Encoding.UTF8.GetString(response.Body)[..4]));
    }

    [Theory]
    [InlineData(203)]
    [InlineData(206)]
    public async Task Authorization_SuccessThatIsNo200_IsNotSent(int status)
    {
        _upstream.Everything = UpstreamBehaviour.WithStatus(status);
        await using ProxyUnderTest proxy = await StartAsync(true);

        RawResponse response = await proxy.GetAsync($"http://{_upstream.EndPoint}{_item.Path}", "Authorization: Bearer mine");

        Assert.Equal((502, "502:"), (response.Status, Encoding.UTF8.GetString(response.Body)[..4]));
    }

    [Fact]
    public async Task Authorization_MoreThanTheMemoryForUnstoredBodies_IsRefusedForNow()
    {
        SyntheticObject large = new SyntheticObject(3 << 20, seed: 7).On(_upstream);
        await using ProxyUnderTest proxy = await StartAsync(true, ("Proxy:MaxUnstoredBytes", "1048576"));

        RawResponse refused = await proxy.GetAsync($"http://{_upstream.EndPoint}{large.Path}", "Authorization: Bearer mine");
        Assert.Equal((503, "503:", "1"), (refused.Status, Encoding.UTF8.GetString(refused.Body)[..4], refused.Header("Retry-After")));

        // What was read of the refused one is given back when its transfer has ended, which is after its answer.
        OverflowBudget budget = proxy.Services.GetRequiredService<OverflowBudget>();
        await Waiting.UntilAsync(() => budget.Taken == 0);
        RawResponse served = await proxy.GetAsync($"http://{_upstream.EndPoint}{_item.Path}", "Authorization: Bearer mine");
        Assert.Equal(_item.Bytes, served.Body);
        await Waiting.UntilAsync(() => budget.Taken == 0);
    }

    private static string Basic(string credentials) =>
        "Proxy-Authorization: Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials));

    private static Dictionary<string, string?> Settings(bool rawPath, params (string Name, string Value)[] settings) =>
        settings.Append(("Proxy:RawPath", rawPath.ToString())).ToDictionary(s => s.Item1, string? (s) => s.Item2);

    private Task<ProxyUnderTest> StartAsync(bool rawPath, params (string Name, string Value)[] settings) =>
        ProxyUnderTest.StartAsync(Settings(rawPath, settings), null, _upstream);

    private async Task<int> StatusFromAsync(IPAddress from, ProxyUnderTest proxy)
    {
        using RawHttpClient client = await RawHttpClient.ConnectFromAsync(from, proxy.EndPoint);
        return (await client.GetAsync(_item.Url)).Status;
    }

    /// <summary>One more connection and a request on it: is it cut? It may be as early as while it is made.</summary>
    private async Task<bool> EndsWithoutAnswerAsync(ProxyUnderTest proxy)
    {
        try
        {
            using RawHttpClient client = await proxy.ConnectAsync();
            return (await client.GetAsync(_item.Url)).Status != 200;
        }
        catch (Exception e) when (e is EndOfStreamException or System.Net.Sockets.SocketException)
        {
            return true;
        }
    }
}

using System.Text;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Http;

/// <summary>Interim answers of ordinary HTTP reach the client that can read them; those of a Stratum 1 reach nobody.</summary>
public sealed class InterimTests : IAsyncLifetime
{
    private const string File = "/cvmfs/synthetic.example.org/store/file";

    private static readonly byte[] s_answer = Encoding.ASCII.GetBytes(
        "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
        + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nCache-Control: max-age=60\r\n\r\npage");

    private readonly ScriptedUpstream _origin = ScriptedUpstream.Start();

    public Task InitializeAsync()
    {
        _origin.Everything = new UpstreamBehaviour { RawAnswer = s_answer };
        return Task.CompletedTask;
    }

    public Task DisposeAsync() => _origin.DisposeAsync().AsTask();

    [Theory]
    [InlineData("site", "1.1", true)]
    [InlineData("destination", "1.1", true)]
    [InlineData("destination", "1.0", false)]
    [InlineData("external file", "1.1", false)]
    [InlineData("document", "1.1", false)]
    public async Task EarlyHints_ReachAClientOfOrdinaryHttpOnly(string of, string version, bool areRelayed)
    {
        await using ProxyUnderTest proxy = await StartAsync();
        string target = of switch
        {
            "site" => "/page",
            "destination" => _origin.Address + "page",
            "external file" => File,
            _ => "/cvmfs/synthetic.example.org/.cvmfs_x",
        };
        using RawHttpClient client = await proxy.ConnectAsync();

        await client.SendAsync($"GET {target} HTTP/{version}\r\nHost: repo.example.com\r\n\r\n");
        if (areRelayed)
        {
            RawResponseHead hints = await client.ReadHeadAsync();
            Assert.Equal((103, "</style.css>; rel=preload"), (hints.Status, hints.Header("Link")));
        }

        RawResponse answer = await client.ReadResponseAsync();
        Assert.Equal((200, "page"), (answer.Status, Encoding.ASCII.GetString(answer.Body)));
        Assert.Null(answer.Header("Link"));
    }

    [Fact]
    public async Task EarlyHints_OfAStoredAnswer_AreNotRepeated()
    {
        await using ProxyUnderTest proxy = await StartAsync();
        using RawHttpClient client = await proxy.ConnectAsync();
        const string Request = "GET /page HTTP/1.1\r\nHost: repo.example.com\r\n\r\n";
        await client.SendAsync(Request);
        Assert.Equal(103, (await client.ReadHeadAsync()).Status);
        Assert.Equal(200, (await client.ReadResponseAsync()).Status);

        await client.SendAsync(Request);

        Assert.Equal(200, (await client.ReadResponseAsync()).Status);
        Assert.Equal(1, _origin.RequestCount("/page"));
    }

    private Task<ProxyUnderTest> StartAsync() => ProxyUnderTest.StartAsync(
        new Dictionary<string, string?>
        {
            ["Http:Sites:repo.example.com:Origin"] = _origin.Address,
            ["Access:Destinations:0"] = "127.0.0.1:*",
            ["Access:AllowedUpstreams:0"] = "127.0.0.1/32",
        },
        null,
        _origin);
}

using System.Text;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Http;

/// <summary>A connection that an origin keeps open and then spoils: the origin is well, and so is the answer.</summary>
public sealed class KeptConnectionTests
{
    private static readonly UpstreamBehaviour s_well = Raw("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell", keeps: true);

    [Theory]
    [InlineData("GET", "and more\r\n\r\n", 200)]
    [InlineData("GET", "", 200)]
    [InlineData("HEAD", "and more\r\n\r\n", 200)]
    [InlineData("POST", "and more\r\n\r\n", 502)]
    public async Task Connection_ThatBringsWhatNoAnswerBeginsWith_IsGivenUpForAFreshOne(string method, string first, int status)
    {
        await using ScriptedUpstream origin = ScriptedUpstream.Start();
        origin.Everything = s_well;
        origin.ScriptNext("/f", Raw(first, keeps: false));
        await using ProxyUnderTest proxy = await StartAsync(origin);
        Assert.Equal(200, (await ExchangeTests.AskAsync(proxy, "/before")).Status);

        using RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync($"{method} /f HTTP/1.1\r\nHost: h.example.org\r\n{(method == "POST" ? "Content-Length: 0\r\n" : "")}\r\n");
        RawResponse answer = await client.ReadResponseAsync(isHead: method == "HEAD");

        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 200 ? 2 : 1, origin.RequestCount("/f"));
        Assert.NotEqual(origin.Requests[^1].ConnectionNumber, status == 200 ? origin.Requests[0].ConnectionNumber : 0);
    }

    [Fact]
    public async Task Connection_ThatIsFreshAndBringsNoAnswer_IsNotTriedTwice()
    {
        await using ScriptedUpstream origin = ScriptedUpstream.Start();
        origin.Everything = Raw("and more\r\n\r\n", keeps: false);
        await using ProxyUnderTest proxy = await StartAsync(origin);

        Assert.Equal(502, (await ExchangeTests.AskAsync(proxy, "/f")).Status);
        Assert.Single(origin.Requests);
    }

    private static UpstreamBehaviour Raw(string answer, bool keeps) =>
        new() { RawAnswer = Encoding.ASCII.GetBytes(answer), KeepsConnection = keeps };

    private static Task<ProxyUnderTest> StartAsync(ScriptedUpstream origin) => ProxyUnderTest.StartAsync(
        new Dictionary<string, string?>
        {
            ["Http:Sites:*:Origin"] = origin.Address,
            ["Http:Methods:0"] = "GET",
            ["Http:Methods:1"] = "HEAD",
            ["Http:Methods:2"] = "POST",
            ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://127.0.0.1:9/",
        },
        null);
}

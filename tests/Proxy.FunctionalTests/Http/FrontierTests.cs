using System.Globalization;
using System.Text;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Http;

/// <summary>
/// Conditions data as a Frontier client asks for it and its launchpad answers: absolute-form, HTTP/1.0 with keep-alive, long URLs, an
/// error rather than an old answer, and never a cut one that passes for whole.
/// </summary>
public sealed class FrontierTests : IAsyncLifetime
{
    private const string Changed = "Fri, 28 Nov 2025 10:00:00 GMT";
    private static readonly string s_path = "/Frontier/type=frontier_request:1:DEFAULT&encoding=BLOBzip5&p1=" + new string('e', 7_900);

    private readonly ScriptedUpstream _launchpad = ScriptedUpstream.Start();
    private readonly byte[] _payload = new SyntheticObject(120_000).Bytes;
    private ProxyUnderTest _proxy = null!;

    public async Task InitializeAsync()
    {
        _launchpad.Put(s_path, _payload);
        _launchpad.Everything = Fresh();
        _proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>
            {
                ["Access:Destinations:0"] = "127.0.0.1:*",
                ["Access:AllowedUpstreams:0"] = "127.0.0.1/32",
                ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://127.0.0.1:9/",
            },
            null);
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _launchpad.DisposeAsync();
    }

    [Fact]
    public async Task Query_OfManyJobs_IsAskedForOnceWithTheFirstJobsId()
    {
        using RawHttpClient client = await _proxy.ConnectAsync();
        for (int job = 0; job < 3; job++)
        {
            await client.SendAsync(Request($"X-Frontier-Id: job-{job}\r\nCache-Control: max-stale=1\r\n"));
            RawResponse answer = await client.ReadResponseAsync();
            Assert.Equal((200, true), (answer.Status, answer.IsComplete));
            Assert.Equal(_payload, answer.Body);
            Assert.Equal("keep-alive", answer.Header("Connection"), ignoreCase: true);
        }

        UpstreamRequest asked = Assert.Single(_launchpad.Requests);
        Assert.Equal("job-0", asked.Header("X-Frontier-Id"));
        Assert.Null(asked.Header("traceparent"));
        Assert.Equal(s_path, asked.Target);
    }

    [Theory]
    [InlineData("Cache-Control: max-age=0\r\n")]
    [InlineData("Pragma: no-cache\r\n")]
    public async Task Query_ThatWantsACheck_IsRevalidatedAndNotSentAgain(string fields)
    {
        await AskAsync("");
        _launchpad.Everything = NotModified();

        RawResponse checkedNow = await AskAsync(fields);

        Assert.Equal(200, checkedNow.Status);
        Assert.Equal(_payload, checkedNow.Body);
        Assert.Equal(2, _launchpad.Requests.Count);
        Assert.Equal(Changed, _launchpad.Requests[^1].Header("If-Modified-Since"));
    }

    [Fact]
    public async Task Query_ThatIsStale_IsAnErrorRatherThanOld()
    {
        _launchpad.Everything = Fresh() with
        {
            CacheControl = "max-age=10, stale-if-error=1",
            ExtraHeaders = ["Last-Modified: " + Changed, "Age: 60"],
        };
        await AskAsync("");
        foreach (UpstreamBehaviour broken in (UpstreamBehaviour[])[UpstreamBehaviour.WithStatus(503), UpstreamBehaviour.CloseWithoutAnswer])
        {
            _launchpad.Everything = broken;
            RawResponse answer = await AskAsync("Cache-Control: max-stale=1\r\n");
            Assert.InRange(answer.Status, 502, 503);
            Assert.False(answer.Body.AsSpan().SequenceEqual(_payload));
        }

        _launchpad.Everything = Fresh();
        Assert.Equal(_payload, (await AskAsync("")).Body);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Payload_CutByTheLaunchpad_EndsInAResetAndIsNotKept(bool isChunked)
    {
        _launchpad.Everything = Fresh() with { TruncateAt = 50_000, Chunked = isChunked };
        using RawHttpClient client = await _proxy.ConnectAsync();
        await client.SendAsync(Request(""));
        bool isCut = false;
        try
        {
            RawResponse answer = await client.ReadResponseAsync();
            isCut = client.WasReset || !answer.IsComplete;
        }
        catch (IOException)
        {
            isCut = true; // before the head
        }

        Assert.True(isCut, "A client of HTTP/1.0 took the cut payload for whole.");
        _launchpad.Everything = Fresh();
        Assert.Equal(_payload, (await AskAsync("")).Body);
    }

    [Fact]
    public async Task Error_OfTheDatabase_IsNotRememberedForLong()
    {
        _launchpad.Everything = UpstreamBehaviour.WithStatus(500);
        Assert.Equal(500, (await AskAsync("")).Status);
        _launchpad.Everything = Fresh();

        Assert.Equal(_payload, (await AskAsync("")).Body);
    }

    private static UpstreamBehaviour Fresh() => new()
    {
        CacheControl = "max-age=300, stale-if-error=1",
        ContentType = "text/xml;charset=US-ASCII",
        ExtraHeaders = ["Last-Modified: " + Changed],
    };

    private static UpstreamBehaviour NotModified() => new()
    {
        RawAnswer = Encoding.ASCII.GetBytes("HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=300, stale-if-error=1\r\n\r\n"),
    };

    private string Request(string fields) => string.Create(
        CultureInfo.InvariantCulture,
        $"GET http://{_launchpad.EndPoint}{s_path} HTTP/1.0\r\nHost: {_launchpad.EndPoint}\r\nConnection: Keep-Alive\r\n{fields}\r\n");

    private async Task<RawResponse> AskAsync(string fields)
    {
        using RawHttpClient client = await _proxy.ConnectAsync();
        await client.SendAsync(Request(fields));
        return await client.ReadResponseAsync();
    }
}

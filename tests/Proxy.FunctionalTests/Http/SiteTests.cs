using System.Text;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Http;

/// <summary>Ordinary HTTP: whose a request is, what passes and how, and that its bytes pass as they are.</summary>
public sealed class SiteTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _origin = ScriptedUpstream.Start();
    private readonly byte[] _page = Encoding.ASCII.GetBytes("a page");

    public Task InitializeAsync()
    {
        _origin.Put("/page", _page);
        _origin.Put("/below/page", "the page below"u8.ToArray());
        return Task.CompletedTask;
    }

    public Task DisposeAsync() => _origin.DisposeAsync().AsTask();

    [Fact]
    public async Task Site_InOriginForm_IsAskedOfItsOriginUnderItsOwnName()
    {
        await using ProxyUnderTest proxy = await StartAsync(
            ("Http:Sites:repo.example.com:Origin", _origin.Address), ("Http:Sites:below.example.com:Origin", _origin.Address + "below/"));

        RawResponse byName = await AskAsync(proxy, "GET /page?x=1 HTTP/1.1\r\nHost: Repo.Example.com:8080\r\n\r\n");
        RawResponse below = await AskAsync(proxy, "GET /page HTTP/1.1\r\nHost: below.example.com\r\n\r\n");
        RawResponse absolute = await AskAsync(proxy, "GET http://repo.example.com/page HTTP/1.1\r\nHost: evil.example.com\r\n\r\n");

        Assert.Equal((200, 200, 200), (byName.Status, below.Status, absolute.Status));
        Assert.Equal(_page, byName.Body);
        Assert.Equal("the page below"u8.ToArray(), below.Body);
        Assert.Equal("/page?x=1 Repo.Example.com:8080", Seen(0));
        Assert.Equal("/below/page below.example.com", Seen(1));
        Assert.Equal("/page repo.example.com", Seen(2));
    }

    [Fact]
    public async Task Site_OfAnotherNameOrForARepositorysPath_IsNone()
    {
        await using ProxyUnderTest proxy = await StartAsync(("Http:Sites:repo.example.com:Origin", _origin.Address));

        Assert.Equal(404, (await AskAsync(proxy, "GET /page HTTP/1.1\r\nHost: other.example.com\r\n\r\n")).Status);
        Assert.Equal(404, (await AskAsync(proxy, "GET /page HTTP/1.0\r\n\r\n")).Status);
        Assert.Equal(403, (await AskAsync(proxy, "GET http://other.example.com/page HTTP/1.1\r\nHost: repo.example.com\r\n\r\n")).Status);
        string[] paths = ["/cvmfs/x.example.net/.cvmfspublished", "/a/../cvmfs/x.example.net/f", "//cvmfs/x.example.net/f"];
        foreach (string path in paths)
        {
            RawResponse response = await AskAsync(proxy, $"GET {path} HTTP/1.1\r\nHost: repo.example.com\r\n\r\n");
            Assert.InRange(response.Status, 400, 404);
        }

        Assert.Empty(_origin.Requests);
    }

    [Fact]
    public async Task Site_ForAllOthers_AnswersForAnyHostAndForNone()
    {
        await using ProxyUnderTest proxy = await StartAsync(("Http:Sites:*:Origin", _origin.Address));

        Assert.Equal(200, (await AskAsync(proxy, "GET /page HTTP/1.1\r\nHost: a.example.com\r\n\r\n")).Status);
        Assert.Equal(200, (await AskAsync(proxy, "GET /page HTTP/1.0\r\n\r\n")).Status);
        Assert.Equal(403, (await AskAsync(proxy, "GET http://a.example.com/page HTTP/1.1\r\nHost: a.example.com\r\n\r\n")).Status);
        Assert.Equal("/page a.example.com", Seen(0));
        Assert.Equal($"/page {_origin.EndPoint}", Seen(1));
    }

    [Fact]
    public async Task Methods_InTheSetting_PassWithTheirBodies()
    {
        List<(string Method, byte[] Body)> asked = [];
        await using WebApplication origin = await StartOriginAsync(async context =>
        {
            using MemoryStream received = new();
            await context.Request.Body.CopyToAsync(received);
            asked.Add((context.Request.Method, received.ToArray()));
            context.Response.StatusCode = 201;
        });
        string address = origin.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        await using ProxyUnderTest proxy = await StartAsync(
            ("Http:Sites:repo.example.com:Origin", address), ("Http:Methods:0", "GET"), ("Http:Methods:1", "PUT"));
        byte[] body = new SyntheticObject(300_000).Bytes;
        using RawHttpClient client = await proxy.ConnectAsync();

        await client.SendAsync($"PUT /page HTTP/1.1\r\nHost: repo.example.com\r\nContent-Length: {body.Length}\r\n\r\n");
        await client.SendAsync(body);
        RawResponse put = await client.ReadResponseAsync();
        RawResponse delete = await AskAsync(proxy, "DELETE /page HTTP/1.1\r\nHost: repo.example.com\r\n\r\n");
        RawResponse repository = await AskAsync(proxy, "PUT /cvmfs/a.example.org/f HTTP/1.1\r\nHost: repo.example.com\r\n\r\n");

        Assert.Equal((201, 405, 405), (put.Status, delete.Status, repository.Status));
        Assert.Equal("GET, PUT", delete.Header("Allow"));
        Assert.Equal("PUT", Assert.Single(asked).Method);
        Assert.Equal(body, asked[0].Body);
    }

    [Fact]
    public async Task Fields_WithBytesBeyondAscii_PassAsTheyAreBothWays()
    {
        await using ProxyUnderTest proxy = await StartAsync(("Http:Sites:repo.example.com:Origin", _origin.Address));
        _origin.Everything = new UpstreamBehaviour
        {
            ExtraHeaders = ["Content-Disposition: attachment; filename=\"\u00e9\u00ff.txt\"", "X-Utf8: \u00c3\u00a9"],
        };

        RawResponse response = await AskAsync(
            proxy, "GET /page HTTP/1.1\r\nHost: repo.example.com\r\nX-Name: \u00e9\u00c3\u00a9\r\nUser-Agent: b\u00fccher\r\n\r\n");

        Assert.Equal(200, response.Status);
        Assert.Equal("attachment; filename=\"\u00e9\u00ff.txt\"", response.Header("Content-Disposition"));
        Assert.Equal("\u00c3\u00a9", response.Header("X-Utf8"));
        Assert.Equal("\u00e9\u00c3\u00a9", _origin.Requests[0].Header("X-Name"));
        Assert.Equal("b\u00fccher", _origin.Requests[0].Header("User-Agent"));
    }

    [Fact]
    public async Task Url_To16KiB_PassesByteByByte()
    {
        await using ProxyUnderTest proxy = await StartAsync(
            ("Http:Sites:repo.example.com:Origin", _origin.Address),
            ("Access:Destinations:0", "127.0.0.1:*"),
            ("Access:AllowedUpstreams:0", "127.0.0.1/32"));
        string query = "/page?q=%7e[a|b]%2F.." + new string('x', 16_000);
        string tooLong = "/page?" + new string('x', 16_384);

        Assert.Equal(200, (await AskAsync(proxy, $"GET {query} HTTP/1.1\r\nHost: repo.example.com\r\n\r\n")).Status);
        Assert.Equal(200, (await AskAsync(proxy, $"GET {_origin.Address[..^1]}{query} HTTP/1.1\r\nHost: a\r\n\r\n")).Status);
        Assert.Equal(414, (await AskAsync(proxy, $"GET {tooLong} HTTP/1.1\r\nHost: repo.example.com\r\n\r\n")).Status);
        Assert.Equal(414, (await AskAsync(proxy, $"GET /cvmfs/{query} HTTP/1.1\r\nHost: repo.example.com\r\n\r\n")).Status);
        Assert.Equal([query, query], _origin.Requests.Select(request => request.Target));
    }

    [Fact]
    public async Task Stranger_IsToldNothingOfOurTraces()
    {
        await using ProxyUnderTest proxy = await StartAsync(
            ("Http:Sites:repo.example.com:Origin", _origin.Address), ("Telemetry:TraceShare", "1"));
        using var listener = new System.Diagnostics.ActivityListener
        {
            ShouldListenTo = static _ => true,
            Sample = static (ref System.Diagnostics.ActivityCreationOptions<System.Diagnostics.ActivityContext> _) =>
                System.Diagnostics.ActivitySamplingResult.AllDataAndRecorded,
        };
        System.Diagnostics.ActivitySource.AddActivityListener(listener);

        await AskAsync(proxy, "GET /page HTTP/1.1\r\nHost: repo.example.com\r\n\r\n");

        Assert.Null(Assert.Single(_origin.Requests).Header("traceparent"));
    }

    [Fact]
    public async Task Settings_Replaced_AreInForceForTheNextRequest()
    {
        await using ProxyUnderTest proxy = await StartAsync(("Http:Sites:repo.example.com:Origin", _origin.Address));
        using RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync("GET /page HTTP/1.1\r\nHost: new.example.com\r\n\r\n");
        Assert.Equal(404, (await client.ReadResponseAsync()).Status);

        proxy.Services.GetRequiredService<HttpPolicy>().Replace(new HttpOptions
        {
            Sites = new Dictionary<string, SiteOptions> { ["new.example.com"] = new() { Origin = _origin.Address } },
        });
        await client.SendAsync("GET /page HTTP/1.1\r\nHost: new.example.com\r\n\r\n");

        Assert.Equal(200, (await client.ReadResponseAsync()).Status);
    }

    private static async Task<WebApplication> StartOriginAsync(RequestDelegate answer)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        WebApplication origin = builder.Build();
        origin.Run(answer);
        await origin.StartAsync();
        return origin;
    }

    private string Seen(int request) => $"{_origin.Requests[request].Target} {_origin.Requests[request].Header("Host")}";

    private static async Task<RawResponse> AskAsync(ProxyUnderTest proxy, string request)
    {
        using RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync(request);
        return await client.ReadResponseAsync();
    }

    private static Task<ProxyUnderTest> StartAsync(params (string Name, string Value)[] settings)
    {
        Dictionary<string, string?> all = settings.ToDictionary(s => s.Name, string? (s) => s.Value);
        all.TryAdd("ReverseProxy:Clusters:test:Destinations:s1:Address", "http://127.0.0.1:9/");
        return ProxyUnderTest.StartAsync(all, null);
    }
}

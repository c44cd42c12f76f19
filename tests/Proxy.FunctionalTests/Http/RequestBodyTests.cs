using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;

namespace Breakwater.Proxy.FunctionalTests.Http;

/// <summary>Bodies that clients send: what is no body is the client's fault, and no origin sees other bytes than were meant.</summary>
public sealed class RequestBodyTests
{
    private static readonly (string, string)[] s_withPost =
        [("Http:Methods:0", "GET"), ("Http:Methods:1", "HEAD"), ("Http:Methods:2", "POST")];

    [Theory]
    [InlineData("Transfer-Encoding: gzip, chunked", "3\r\nabc\r\n0\r\n\r\n", 501)]
    [InlineData("Transfer-Encoding: chunked, chunked", "3\r\nabc\r\n0\r\n\r\n", 501)]
    [InlineData("Content-Length: 5\r\nTransfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n", 400)]
    [InlineData("Transfer-Encoding: chunked", "3\r\nabc\r\nzz\r\n\r\n", 400)]
    public async Task Post_WhoseBodyIsNone_IsRefusedAsTheClientsFault(string field, string body, int status)
    {
        await using HttpOrigin origin = await HttpOrigin.StartAsync(static context => context.Request.Body.CopyToAsync(Stream.Null));
        await using ProxyUnderTest proxy = await ExchangeTests.StartAsync(origin, s_withPost);
        using RawHttpClient client = await proxy.ConnectAsync();

        await client.SendAsync($"POST /form HTTP/1.1\r\nHost: h.example.org\r\n{field}\r\n\r\n{body}");
        RawResponseHead head = await client.ReadHeadAsync();

        Assert.Equal((status, "close"), (head.Status, head.Header("Connection")));
    }

    [Fact]
    public async Task Post_InChunks_ReachesTheOrigin()
    {
        string? seen = null;
        await using HttpOrigin origin = await HttpOrigin.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            seen = await reader.ReadToEndAsync();
        });
        await using ProxyUnderTest proxy = await ExchangeTests.StartAsync(origin, s_withPost);
        using RawHttpClient client = await proxy.ConnectAsync();

        await client.SendAsync("POST /form HTTP/1.1\r\nHost: h.example.org\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");

        Assert.Equal((200, "abc"), ((await client.ReadHeadAsync()).Status, seen));
    }

    /// <summary>What is no answer to the question is no answer.</summary>
    [Theory]
    [InlineData(304)]
    [InlineData(206)]
    public async Task Head_AnsweredByWhatNobodyAskedFor_IsRefused(int status)
    {
        await using HttpOrigin origin = await HttpOrigin.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        });
        await using ProxyUnderTest proxy = await ExchangeTests.StartAsync(origin);
        using RawHttpClient client = await proxy.ConnectAsync();

        await client.SendAsync("HEAD /f HTTP/1.1\r\nHost: h.example.org\r\n\r\n");

        Assert.Equal(502, (await client.ReadHeadAsync()).Status);
    }
}

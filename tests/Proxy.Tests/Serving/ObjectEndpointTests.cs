using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Tests.Documents;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;

namespace Breakwater.Proxy.Tests.Serving;

/// <summary>Objects for clients, below all that listens.</summary>
public sealed class ObjectEndpointTests : IAsyncLifetime
{
    private const int Length = 1000;
    private static readonly RepositoryRoute s_route = new(Fqrn.Parse("synthetic.example.org"), "test");

    private readonly BuiltDocuments _proxy = new();
    private readonly SyntheticObject _item = new(Length);

    public Task InitializeAsync() => _proxy.OpenAsync();

    public async Task DisposeAsync() => await _proxy.DisposeAsync();

    [Theory]
    [InlineData("GET", null, 200, null, 0, Length)]
    [InlineData("GET", "bytes=10-19", 206, "bytes 10-19/1000", 10, 10)]
    [InlineData("GET", "bytes=1000-", 416, "bytes */1000", 0, 0)]
    [InlineData("HEAD", null, 200, null, 0, 0)]
    [InlineData("HEAD", "bytes=10-19", 200, null, 0, 0)]
    public async Task Serve_WhatIsStored_IsAHitOfWhatWasAskedFor(
        string method, string? asked, int status, string? range, int offset, int count)
    {
        _item.On(_proxy.Upstream);
        (HttpResponse response, RequestOutcome outcome) = await ServeAsync("GET", null);
        Assert.Equal((RequestResult.Miss, _proxy.Upstream.EndPoint.ToString()), (outcome.Result, outcome.Upstream));
        Assert.Equal(_item.Bytes, Sent(response));
        await Waiting.UntilAsync(() => _proxy.Store.Contains(_item.Key));

        (response, outcome) = await ServeAsync(method, asked);

        Assert.Equal((status, range, (long?)(status == 206 ? count : status == 416 ? 0 : Length)),
            (response.StatusCode, (string?)response.Headers.ContentRange, response.ContentLength));
        Assert.Equal(_item.Bytes[offset..(offset + count)], Sent(response));
        Assert.Equal((RequestResult.Hit, null, (long)count), (outcome.Result, outcome.Upstream, outcome.BytesSent));
        Assert.Single(_proxy.Upstream.Requests);
    }

    /// <summary>What nobody has is remembered for two seconds, and that is told.</summary>
    [Fact]
    public async Task Serve_WhatNobodyHas_IsAskedForAgainAfterAWhile()
    {
        foreach ((RequestResult result, int requests) in ((RequestResult, int)[])
            [(RequestResult.Failed, 1), (RequestResult.Negative, 1), (RequestResult.Failed, 2)])
        {
            (HttpResponse response, RequestOutcome outcome) = await ServeAsync("GET", null);

            Assert.Equal((404, result, requests), (response.StatusCode, outcome.Result, _proxy.Upstream.Requests.Count));
            Assert.Equal(result == RequestResult.Negative,
                response.Headers["Cache-Status"].ToString().Contains("detail=negative", StringComparison.Ordinal));
            Assert.True(Sent(response).AsSpan().StartsWith("404: "u8));
            _proxy.Time.Advance(result == RequestResult.Negative ? TimeSpan.FromSeconds(2) : TimeSpan.Zero);
        }
    }

    private static byte[] Sent(HttpResponse response) => ((MemoryStream)response.Body).ToArray();

    private async Task<(HttpResponse Response, RequestOutcome Outcome)> ServeAsync(string method, string? range)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = method;
        context.Request.Headers.Range = range;
        context.Request.Headers.UserAgent = "breakwater/1"; // another proxy, which boots nothing
        context.Response.Body = new MemoryStream();
        var outcome = new RequestOutcome();
        context.Features.Set(outcome);
        FetchOrder order = FetchOrder.Of(_item.Key, s_route, _item.Key.ToPath(), null, null);
        await _proxy.Get<ObjectEndpoint>().ServeAsync(context, order, outcome).InTimeAsync();
        return (context.Response, outcome);
    }
}

using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Tests.Documents;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.Proxy.Tests.Serving;

/// <summary>Objects for clients, below all that listens.</summary>
public sealed class ObjectEndpointTests : IAsyncLifetime
{
    private const int Length = 1000;
    private static readonly RepositoryRoute s_route = new(Fqrn.Parse("synthetic.example.org"), "test");

    private readonly BuiltDocuments _proxy = new();
    private readonly SyntheticObject _item = new(Length);

    private FetchOrder Order => FetchOrder.Of(_item.Key, s_route, _item.Key.ToPath(), null, null);

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

    /// <summary>
    /// The fetch that an event loop had joined ended because the store had the object, and the store has lost it since: the request gets it
    /// by a fetch of its own.
    /// </summary>
    [Fact]
    public async Task Serve_WhoseJoinedFetchEndedAsStored_AsksAnewWhereTheStoreHasItNoMore()
    {
        _item.On(_proxy.Upstream);
        using var notFound = new NotFoundMemory(_proxy.Time);
        var over = new InFlightFetch(
            Order, _proxy.Get<FetchServices>(), notFound, _ => true, _proxy.Get<FetchCoordinator>().JoinOrStart,
            NullLogger<InFlightFetch>.Instance);
        FetchFollower follower = over.TryJoin(Order, isLeader: true)!;
        over.EndAsStored();

        (HttpResponse response, RequestOutcome outcome) = await ServeAsync(
            "GET", null, new JoinedRequest(_item.Key, follower, _proxy.Time.GetTimestamp(), _proxy.Time));

        Assert.Equal(_item.Bytes, Sent(response));
        Assert.Equal((RequestResult.Miss, _proxy.Upstream.EndPoint.ToString()), (outcome.Result, outcome.Upstream));
        Assert.Single(_proxy.Upstream.Requests);
    }

    private static byte[] Sent(HttpResponse response) => ((MemoryStream)response.Body).ToArray();

    private async Task<(HttpResponse Response, RequestOutcome Outcome)> ServeAsync(
        string method, string? range, JoinedRequest? joined = null)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = method;
        context.Request.Headers.Range = range;
        context.Request.Headers.UserAgent = "breakwater/1"; // another proxy, which boots nothing
        context.Response.Body = new MemoryStream();
        var outcome = new RequestOutcome();
        context.Features.Set(outcome);
        if (joined is not null)
        {
            context.Features.Set<IBegunRequestFeature>(new Begun(joined));
        }

        await Task.Run(() => _proxy.Get<ObjectEndpoint>().ServeAsync(context, Order, outcome)).InTimeAsync();
        return (context.Response, outcome);
    }

    private sealed class Begun(JoinedRequest joined) : IBegunRequestFeature
    {
        public IAsyncDisposable TakeWork() => joined;

        public long TakeStart() => joined.StartedAt;
    }
}

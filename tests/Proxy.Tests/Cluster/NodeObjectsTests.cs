using Breakwater.CacheStore;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Tests.Exchanges;
using Breakwater.Proxy.Tests.Fetching;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;

namespace Breakwater.Proxy.Tests.Cluster;

/// <summary>Objects as another node gets them.</summary>
public sealed class NodeObjectsTests(SliceStore store) : IClassFixture<SliceStore>, IAsyncLifetime
{
    private const int Length = 5000;
    private static int s_seed = 900;
    private readonly SyntheticObject _item = new(Length, Interlocked.Increment(ref s_seed));
    private readonly DefaultHttpContext _context = new();
    private FetchBench _bench = null!;
    private NodeObjects _objects = null!;

    public Task InitializeAsync()
    {
        _bench = new FetchBench(store.Store);
        _objects = new NodeObjects(store.Store, _bench.Fetches, _bench.Time);
        _context.Response.Body = new MemoryStream();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Theory]
    [InlineData(null, null, 0, Length)]
    [InlineData("bytes=0-", null, 0, Length)]
    [InlineData("bytes=5000-", null, 0, Length)]
    [InlineData("lines=1-", null, 0, Length)]
    [InlineData("bytes=1-", "bytes 1-4999/5000", 1, Length - 1)]
    [InlineData("bytes=10-19", "bytes 10-19/5000", 10, 10)]
    [InlineData("bytes=4999-", "bytes 4999-4999/5000", 4999, 1)]
    public async Task Serve_WhatIsHeld_IsSentFromTheByteOnThatIsWanted(string? asked, string? range, int offset, int count)
    {
        await StoreAsync();
        _context.Request.Headers.Range = asked;

        Assert.Equal("hit", await ServeAsync());

        HttpResponse response = _context.Response;
        Assert.Equal((range is null ? 200 : 206, range, (long?)count, "application/octet-stream"),
            (response.StatusCode, (string?)response.Headers.ContentRange, response.ContentLength, response.ContentType));
        Assert.Equal(_item.Bytes[offset..(offset + count)], Sent());
    }

    [Fact]
    public async Task Serve_ToOneWhoWantsOnlyWhatIsHeld_AsksNobody()
    {
        _context.Request.Headers.CacheControl = "only-if-cached";

        Assert.Equal(("not-held", 404), (await ServeAsync(), _context.Response.StatusCode));
        Assert.Empty(Sent());
        Assert.Empty(_bench.Stratum1s[0].Requests);
    }

    /// <summary>Of a fetch under way that has nothing yet, such a node is told soon that it is not here: it asks a Stratum 1.</summary>
    [Fact]
    public async Task Serve_ToOneWhoWantsOnlyWhatIsHeld_DoesNotWaitForAFetchThatHasNothing()
    {
        _item.On(_bench.Stratum1s[0]);
        _bench.Stratum1s[0].Script(_item.Path, UpstreamBehaviour.NeverAnswers);
        _context.Request.Headers.CacheControl = "only-if-cached";
        FetchTicket ticket = _bench.Fetches.JoinOrStart(Order());
        await using FetchFollower? follower = ticket.Follower;
        await _bench.Stratum1s[0].RequestsArrivedAsync(_item.Path).InTimeAsync();
        Task<string> served = ServeAsync();
        _bench.Time.Advance(TimeSpan.FromMilliseconds(300));

        Assert.Equal(("not-held", 404), (await served, _context.Response.StatusCode));
    }

    private FetchOrder Order() => FetchBench.OrderOf(_item) with { Scope = FetchScope.Upstream };

    private Task<string> ServeAsync() => _objects.ServeAsync(_context, Order()).InTimeAsync();

    private byte[] Sent() => ((MemoryStream)_context.Response.Body).ToArray();

    private async Task StoreAsync()
    {
        await using ObjectWriter writer = store.Store.BeginWrite(_item.Key, Length);
        Assert.Null(await writer.AppendAsync(_item.Bytes));
        Assert.True(writer.Verify());
        Assert.Equal(CommitResult.Committed, await writer.CommitAsync().InTimeAsync());
    }
}

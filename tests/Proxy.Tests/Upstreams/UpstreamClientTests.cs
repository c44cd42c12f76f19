using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Tests.Exchanges;
using Breakwater.Proxy.Tests.Fetching;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Upstreams;

/// <summary>What a Stratum 1 is sent, and which of its answers are none.</summary>
public sealed class UpstreamClientTests(SliceStore store) : IClassFixture<SliceStore>
{
    private readonly SyntheticObject _item = new(1000, 1400);

    [Fact]
    public async Task Open_AnObject_SaysWhoAsksAndTakesAnyType()
    {
        await using var bench = new FetchBench(store.Store);
        _item.On(bench.Stratum1s[0]);
        (CandidateCursor cursor, Task<UpstreamResponse?> opened) = Open(bench);
        using UpstreamResponse? response = await opened;

        Assert.Equal((0L, (long?)1000, 0), (response?.Offset, response?.TotalLength, cursor.NotFound));
        UpstreamRequest asked = Assert.Single(bench.Stratum1s[0].Requests);
        Assert.Equal(("GET", "*/*"), (asked.Method, asked.Header("Accept")));
        Assert.StartsWith("breakwater/", asked.Header("User-Agent"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(404, "NotFound", 1)]
    [InlineData(403, "Refused", 0)]
    [InlineData(500, "Status", 0)]
    public async Task Open_WhatIsNoGoodAnswer_IsNoneAndSaysWhy(int status, string kind, int notFound)
    {
        await using var bench = new FetchBench(store.Store);
        bench.Stratum1s[0].Script(_item.Path, UpstreamBehaviour.WithStatus(status));
        (CandidateCursor cursor, Task<UpstreamResponse?> opened) = Open(bench);

        Assert.Null(await opened);
        Assert.Equal((kind, notFound), (cursor.ToFailure().Kind.ToString(), cursor.NotFound));
    }

    /// <summary>A hedge is a second question to a node's site while the first has no answer.</summary>
    [Fact]
    public async Task Open_ANodeThatAnswers_IsNoHedge()
    {
        await using var site = new OneNode();
        await using var bench = new FetchBench(store.Store, nodes: site);
        _item.On(site.Server);
        CandidateCursor cursor = bench.Services.Client.Nodes(site.Before(_item.Key));

        using UpstreamResponse? response = await bench.Services.Client
            .OpenAsync(HttpMethod.Get, FetchBench.OrderOf(_item).UrlPath, 0, cursor, default).InTimeAsync();

        Assert.Equal(((long?)1000, 0), (response?.TotalLength, site.Hedges));
    }

    private (CandidateCursor Cursor, Task<UpstreamResponse?> Opened) Open(FetchBench bench)
    {
        FetchOrder order = FetchBench.OrderOf(_item);
        CandidateCursor cursor = bench.Services.Client.Candidates(order.Repository, null);
        return (cursor, bench.Services.Client.OpenAsync(HttpMethod.Get, order.UrlPath, 0, cursor, default).InTimeAsync());
    }
}

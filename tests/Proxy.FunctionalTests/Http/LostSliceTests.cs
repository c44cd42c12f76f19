using Breakwater.CacheStore;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Http;

/// <summary>A stored answer some of whose slices are gone, by an eviction or a kill: the client gets all of it, or nothing of it.</summary>
public sealed class LostSliceTests : IAsyncLifetime
{
    private const int LastSliceBytes = 500_000;

    private readonly ScriptedUpstream _origin = ScriptedUpstream.Start();
    private readonly byte[] _body = new SyntheticObject((3 << 20) + LastSliceBytes).Bytes;

    public Task InitializeAsync()
    {
        _origin.Put("/big", _body);
        return Task.CompletedTask;
    }

    public Task DisposeAsync() => _origin.DisposeAsync().AsTask();

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Body_WhoseLastSliceIsGone_IsServedWhole(bool hasTag, bool knowsRanges)
    {
        _origin.Everything = new UpstreamBehaviour { SupportsRange = knowsRanges, ExtraHeaders = hasTag ? ["ETag: \"one\""] : [] };
        await using ProxyUnderTest proxy = await StartAsync();
        RawResponse first = await AskAsync(proxy);
        Assert.Equal(_body, first.Body);
        await Waiting.UntilAsync(() => Slices(proxy).Statistics.Objects == 4);
        StoredObjectInfo last = Slices(proxy).List().Single(slice => slice.Length == LastSliceBytes);
        Assert.True(Slices(proxy).Remove(last.Key));

        RawResponse again = await AskAsync(proxy);

        Assert.True(again.IsComplete);
        Assert.Equal(_body, again.Body);
        Assert.Equal(2, _origin.RequestCount("/big"));
        await Waiting.UntilAsync(() => Slices(proxy).Contains(last.Key) || !hasTag);
        Assert.Equal(_body, (await AskAsync(proxy)).Body);
        Assert.Equal(2, _origin.RequestCount("/big"));
    }

    [Fact]
    public async Task Body_WhoseLastSliceIsGoneAndIsAnotherByNow_IsTheOtherWhole()
    {
        _origin.Everything = new UpstreamBehaviour { ExtraHeaders = ["ETag: \"one\""] };
        await using ProxyUnderTest proxy = await StartAsync();
        await AskAsync(proxy);
        await Waiting.UntilAsync(() => Slices(proxy).Statistics.Objects == 4);
        Assert.True(Slices(proxy).Remove(Slices(proxy).List().Single(slice => slice.Length == LastSliceBytes).Key));
        byte[] another = [.. _body.Select(b => (byte)~b)];
        _origin.Put("/big", another);

        // A range is answered by an origin that looks at If-Range, as this one does not.
        _origin.Everything = new UpstreamBehaviour { SupportsRange = false, ExtraHeaders = ["ETag: \"two\""] };
        RawResponse response = await AskAsync(proxy);

        Assert.True(response.IsComplete);
        Assert.Equal(another, response.Body);
    }

    private static FasterObjectStore Slices(ProxyUnderTest proxy) => (FasterObjectStore)proxy.Store.Named.Slices;

    private static async Task<RawResponse> AskAsync(ProxyUnderTest proxy)
    {
        using RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync("GET /big HTTP/1.1\r\nHost: repo.example.com\r\n\r\n");
        return await client.ReadResponseAsync();
    }

    private Task<ProxyUnderTest> StartAsync() => ProxyUnderTest.StartAsync(
        new Dictionary<string, string?>
        {
            ["Http:Sites:repo.example.com:Origin"] = _origin.Address,
            ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://127.0.0.1:9/",
        },
        null);
}

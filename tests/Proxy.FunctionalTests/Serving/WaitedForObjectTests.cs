using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Serving;

/// <summary>
/// An event loop joins a request to the object's fetch and lends it to Kestrel; on a busy machine the object is stored when the pipeline
/// gets it.
/// </summary>
public sealed class WaitedForObjectTests
{
    [Fact]
    public async Task Request_ThatBeganTheFetch_IsNoHitThoughTheStoreHasItByThen()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(50_000).On(upstream);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(upstream);
        Assert.True(proxy.Services.GetRequiredService<RepositoryRoutes>().TryFind("synthetic.example.org"u8, out RepositoryRoute? route));
        var order = FetchOrder.Of(item.Key, route, item.Key.ToPath(), null, null);
        TimeProvider time = proxy.Services.GetRequiredService<TimeProvider>();
        FetchFollower follower = proxy.Services.GetRequiredService<FetchCoordinator>().JoinOrStart(order).Follower!;
        await Waiting.UntilAsync(() => proxy.Store.Contains(item.Key));
        DefaultHttpContext context = new();
        context.Request.Method = "GET";
        context.Response.Body = new MemoryStream();
        context.Features.Set<IBegunRequestFeature>(new Begun(new JoinedRequest(item.Key, follower, time.GetTimestamp(), time)));
        RequestOutcome outcome = new();

        await proxy.Services.GetRequiredService<ObjectEndpoint>().ServeAsync(context, order, outcome);

        Assert.Equal(
            (RequestResult.Miss, upstream.EndPoint.ToString(), (long)item.Bytes.Length),
            (outcome.Result, outcome.Upstream, outcome.BytesSent));
        Assert.Single(upstream.Requests, request => request.Path == item.Path);
    }

    private sealed class Begun(JoinedRequest joined) : IBegunRequestFeature
    {
        public IAsyncDisposable TakeWork() => joined;

        public long TakeStart() => joined.StartedAt;
    }
}

using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Fetching;

/// <summary>What was missed in some order before is fetched ahead when misses come in that order again.</summary>
public sealed class LookAheadTests
{
    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task Misses_InTheOrderOfBefore_BringTheRestUnasked(string rawPath)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject[] boot = [.. Enumerable.Range(0, 40).Select(i => new SyntheticObject(2_000 + i).On(upstream))];
        await using ProxyUnderTest proxy =
            await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Proxy:RawPath"] = rawPath }, null, upstream);
        IObjectStore store = proxy.Services.GetRequiredService<IObjectStore>();
        await AskAsync(proxy, boot);
        Assert.All(boot, item => Assert.Equal(1, upstream.RequestCount(item.Path)));
        FetchCoordinator fetches = proxy.Services.GetRequiredService<FetchCoordinator>();
        await Waiting.UntilAsync(() => fetches.InFlight.Count == 0);
        Assert.All(boot, item => Assert.True(store.Remove(item.Key)));

        await AskAsync(proxy, boot[..3]);
        await Waiting.UntilAsync(() => boot.All(item => store.Contains(item.Key)));
        await AskAsync(proxy, boot);
        Assert.All(boot, item => Assert.Equal(2, upstream.RequestCount(item.Path)));
    }

    [Fact]
    public async Task Misses_OfNamesThatNobodyHas_LeaveNoTrailAndAreNotFetchedAhead()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject[] junk = [.. Enumerable.Range(0, 6).Select(i => new SyntheticObject(3_000 + i))];
        SyntheticObject[] boot = [.. Enumerable.Range(0, 100).Select(i => new SyntheticObject(2_000 + i).On(upstream))];
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(upstream);
        IObjectStore store = proxy.Services.GetRequiredService<IObjectStore>();
        FetchCoordinator fetches = proxy.Services.GetRequiredService<FetchCoordinator>();
        for (int i = 0; i < 20; i++)
        {
            await AskInVainAsync(proxy,
                junk.Select(item => item.Url.Replace("/tiny.example.org/", $"/made-up-{i}.example.org/", StringComparison.Ordinal)));
        }

        await AskInVainAsync(proxy, junk.Select(item => item.Url));
        await AskAsync(proxy, boot);
        await Waiting.UntilAsync(() => fetches.InFlight.Count == 0);
        Assert.All(boot, item => Assert.True(store.Remove(item.Key)));

        await AskInVainAsync(proxy, junk.Select(item => item.Url)); // what stood before the boot says nothing about the boot
        await Waiting.UntilAsync(() => fetches.InFlight.Count == 0);
        Assert.All(boot, item => Assert.Equal(1, upstream.RequestCount(item.Path)));

        await proxy.RestartAsync();
        Assert.Single(proxy.Store.Documents.Keys("trail/"));
    }

    [Fact]
    public async Task Misses_WhoseFollowersAreGone_AskForFewOfThemAndKeepTheRest()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject[] boot = [.. Enumerable.Range(0, 300).Select(i => new SyntheticObject(2_000 + i).On(upstream))];
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(upstream);
        IObjectStore store = proxy.Services.GetRequiredService<IObjectStore>();
        FetchCoordinator fetches = proxy.Services.GetRequiredService<FetchCoordinator>();
        await AskAsync(proxy, boot);
        await Waiting.UntilAsync(() => fetches.InFlight.Count == 0);
        Assert.All(boot, item => Assert.True(store.Remove(item.Key)));
        foreach (SyntheticObject gone in boot[3..200])
        {
            upstream.Put(gone.Path, null);
        }

        await AskAsync(proxy, boot[..3]);
        await Waiting.UntilAsync(() => fetches.InFlight.Count == 0 && boot[3..200].Any(item => upstream.RequestCount(item.Path) > 1));
        Assert.InRange(boot[3..200].Count(item => upstream.RequestCount(item.Path) > 1), 1, 40); // 16, and those under way then

        // The rest of the trail is still known: a client that comes to it is run ahead of.
        await AskAsync(proxy, boot[200..203]);
        await Waiting.UntilAsync(() => boot[203..].All(item => store.Contains(item.Key)));
    }

    private static async Task AskInVainAsync(ProxyUnderTest proxy, IEnumerable<string> urls)
    {
        using RawHttpClient client = await proxy.ConnectAsync();
        foreach (string url in urls)
        {
            await client.SendAsync(RawHttpClient.Request("GET", url));
            Assert.Equal(404, (await client.ReadResponseAsync()).Status);
        }
    }

    private static async Task AskAsync(ProxyUnderTest proxy, SyntheticObject[] items)
    {
        using RawHttpClient client = await proxy.ConnectAsync();
        foreach (SyntheticObject item in items)
        {
            await client.SendAsync(RawHttpClient.Request("GET", item.Url));
            RawResponse response = await client.ReadResponseAsync();
            Assert.Equal(item.Bytes, response.Body);
        }
    }
}

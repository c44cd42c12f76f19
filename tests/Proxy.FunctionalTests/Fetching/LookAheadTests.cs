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
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Proxy:RawPath"] = rawPath }, null, upstream);
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

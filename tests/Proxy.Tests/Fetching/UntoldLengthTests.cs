using Breakwater.CacheStore;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Fetching;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Fetching;

/// <summary>Bodies whose length no Stratum 1 tells.</summary>
public sealed class UntoldLengthTests
{
    private const int Most = 1 << 20;

    /// <summary>Nothing else ends such a body: what is longer than any object that is kept is wrong, whatever its bytes are.</summary>
    [Theory]
    [InlineData(Most, "Readable")]
    [InlineData(Most + 1, "Failed")]
    public async Task Fetch_OfABodyInChunks_IsNoLongerThanAnObjectIs(int length, string end)
    {
        using var directory = new TemporaryDirectory();
        await using FasterObjectStore store = await FasterObjectStore.OpenAsync(new StoreOptions
        {
            Path = directory.Combine("store"),
            QuotaBytes = StoreOptions.MinQuotaBytes,
            MaxObjectBytes = Most,
        });
        await using var bench = new FetchBench(store);
        SyntheticObject item = new SyntheticObject(length).On(bench.Stratum1s[0]);
        bench.Stratum1s[0].Script(item.Path, new UpstreamBehaviour { Chunked = true });
        await using FetchFollower follower = bench.Fetches.JoinOrStart(FetchBench.OrderOf(item)).Follower!;

        Assert.Equal(end, (await follower.WaitAsync(0, default).InTimeAsync()).ToString());
        Assert.Equal(length == Most, store.Contains(item.Key));
        await bench.AtRestAsync();
    }
}

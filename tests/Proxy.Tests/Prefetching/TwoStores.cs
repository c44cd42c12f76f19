using Breakwater.CacheStore;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Prefetching;

/// <summary>
/// A store that has some objects, and one without any: what the one has and the other lacks counts as fetched, and no server is asked.
/// </summary>
public sealed class TwoStores : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private FasterObjectStore _full = null!;
    private FasterObjectStore _empty = null!;

    /// <summary>What the full one has.</summary>
    internal IReadOnlyList<ObjectKey> Keys { get; } =
        [.. Enumerable.Range(0, 6).Select(i => new SyntheticObject(1 + (i * 100_000)).Key)];

    public async Task InitializeAsync()
    {
        _full = await OpenAsync("full");
        _empty = await OpenAsync("empty");
        for (int i = 0; i < Keys.Count; i++)
        {
            await using ObjectWriter writer = _full.BeginWrite(Keys[i], null);
            Assert.Null(await writer.AppendAsync(new SyntheticObject(1 + (i * 100_000)).Bytes));
            Assert.True(writer.Verify());
            Assert.Equal(CommitResult.Committed, await writer.CommitAsync());
        }
    }

    public async Task DisposeAsync()
    {
        await _full.DisposeAsync();
        await _empty.DisposeAsync();
        _directory.Dispose();
    }

    /// <summary>A prefetcher whose store has all of it, or that brings all of it.</summary>
    internal Prefetcher Prefetcher(bool hasAll, PrefetchPace pace) =>
        new(hasAll ? _full : _empty, new ObjectReader(_full, null!), new WorkingSetOptions(), pace);

    private Task<FasterObjectStore> OpenAsync(string name) =>
        FasterObjectStore.OpenAsync(new StoreOptions { Path = _directory.Combine(name) });
}

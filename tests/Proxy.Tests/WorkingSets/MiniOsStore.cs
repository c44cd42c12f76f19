using Breakwater.CacheStore;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Snapshots;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.WorkingSets;

/// <summary>A store that has the catalogs and tags of minios.example.org, and two objects that only say that they are such.</summary>
public sealed class MiniOsStore : IAsyncLifetime
{
    private static readonly SyntheticObject s_noCatalog = new(100, kind: 'C');
    private static readonly SyntheticObject s_noHistory = new(101, kind: 'H');
    private readonly TemporaryDirectory _directory = new();
    private FasterObjectStore _store = null!;

    /// <summary>What is no catalog.</summary>
    internal static ObjectKey NoCatalog => s_noCatalog.Key;

    /// <summary>What holds no tags.</summary>
    internal static ObjectKey NoHistory => s_noHistory.Key;

    /// <summary>The store.</summary>
    internal FasterObjectStore Store => _store;

    /// <summary>What is in it alone: no server is asked.</summary>
    internal ObjectReader Objects { get; private set; } = null!;

    /// <summary>As <see cref="Objects"/>.</summary>
    internal SnapshotSource Snapshots { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _store = await FasterObjectStore.OpenAsync(new StoreOptions { Path = _directory.Combine("store") });
        Objects = new ObjectReader(_store, null!);
        Snapshots = new SnapshotSource(Objects, CatalogLimits.Default);
        HashSet<ObjectKey> keys = [];
        for (int revision = 1; revision <= 2; revision++)
        {
            keys.Add(MiniOs.Manifest(revision).History!.Value);
            Assert.Null(await MiniOs.Tree(revision).WalkAsync((_, key) =>
            {
                keys.Add(key);
                return null;
            }));
        }

        await Task.WhenAll([.. keys.Select(key => WriteAsync(key, MiniOs.Fixture.Wire(key))),
            WriteAsync(NoCatalog, s_noCatalog.Bytes), WriteAsync(NoHistory, s_noHistory.Bytes)]);
    }

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    private async Task WriteAsync(ObjectKey key, byte[] bytes)
    {
        await using ObjectWriter writer = _store.BeginWrite(key, bytes.Length);
        Assert.Null(await writer.AppendAsync(bytes));
        Assert.True(writer.Verify());
        Assert.Equal(CommitResult.Committed, await writer.CommitAsync());
    }
}

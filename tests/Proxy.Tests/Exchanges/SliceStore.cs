using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>A store for the tests of one class: each takes names of its own.</summary>
public sealed class SliceStore : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private FasterObjectStore _store = null!;

    internal FasterObjectStore Store => _store;

    internal NamedStore Named => _store.Named;

    public async Task InitializeAsync() =>
        _store = await FasterObjectStore.OpenAsync(new CacheStore.StoreOptions { Path = _directory.Combine("store") });

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
    }
}

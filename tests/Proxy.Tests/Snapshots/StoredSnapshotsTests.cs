using Breakwater.CacheStore;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Tests.Documents;
using Breakwater.Proxy.Tests.Repositories;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Snapshots;

/// <summary>What of a repository is in the store, by the catalogs that are there.</summary>
public sealed class StoredSnapshotsTests : IAsyncLifetime
{
    private static readonly RepositoryRoute s_route = new(Fqrn.Parse("a.example.org"), "test");

    private readonly BuiltDocuments _proxy = new();
    private readonly WrittenRepository _repository;

    public StoredSnapshotsTests() => _repository = new WrittenRepository(_proxy.Upstream, "a.example.org");

    public Task InitializeAsync() => _proxy.OpenAsync();

    public async Task DisposeAsync()
    {
        _repository.Dispose();
        await _proxy.DisposeAsync();
    }

    [Fact]
    public async Task Objects_OfARepository_AreThoseInTheStoreOfItsNewestAndItsTaggedRevisionsOnce()
    {
        WrittenRepository.Entry[] files = [.. "abcde".Select(name => _repository.PutFile($"/{name}", $"file {name}"))];
        ObjectKey nested = _repository.PutCatalog("/n", [files[0] with { Path = "/n/same" }, files[1] with { Path = "/n/b" }]);
        ObjectKey absent = _repository.PutCatalog("/m", [files[4] with { Path = "/m/e" }]);
        ObjectKey root = _repository.PutCatalog("", [files[0], files[2]], ("/m", absent, 1), ("/n", nested, 1));
        ObjectKey tagged = _repository.PutCatalog("", [files[3]]);
        ObjectKey none = _repository.Put("no catalog"u8.ToArray(), ObjectKind.Catalog);
        ObjectKey history = _repository.PutHistory(tagged, none);
        _repository.Publish(1, root, history);
        Assert.Empty(await ObjectsAsync());
        await _proxy.Get<SignedDocuments>()
            .GetAsync(new DocumentRequest(DocumentKind.File, s_route, SignedDocuments.ManifestPath, null), default).AsTask().InTimeAsync();
        Assert.Empty(await ObjectsAsync());

        ObjectKey[] fetched = [root, nested, tagged, none, history, files[0].Key, files[1].Key, files[3].Key, files[4].Key];
        foreach (ObjectKey key in fetched)
        {
            Assert.Null(await _proxy.Get<ObjectReader>().FetchAsync(s_route, key, null, FetchPriority.Demand, default).InTimeAsync());
        }

        // The catalog that names the last one is not there.
        Assert.Equal(Sorted(fetched[..^1]), Sorted(await ObjectsAsync()));
    }

    private static IEnumerable<string> Sorted(IEnumerable<ObjectKey> keys) =>
        keys.Select(key => key.ToString()).Order(StringComparer.Ordinal);

    private async Task<List<ObjectKey>> ObjectsAsync()
    {
        List<ObjectKey> found = [];
        await foreach (ObjectKey key in _proxy.Get<StoredSnapshots>().ObjectsAsync(s_route.Fqrn))
        {
            found.Add(key);
        }

        return found;
    }
}

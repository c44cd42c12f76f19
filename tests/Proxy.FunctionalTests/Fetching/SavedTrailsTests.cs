using System.Text;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.Proxy.FunctionalTests.Fetching;

/// <summary>The order of misses among a real store's documents.</summary>
public sealed class SavedTrailsTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private ProxyUnderTest _proxy = null!;

    private IDocumentStore Documents => _proxy.Store.Documents;

    public async Task InitializeAsync() => _proxy = await ProxyUnderTest.StartAsync(_upstream);

    public async Task DisposeAsync()
    {
        await _upstream.DisposeAsync();
        await _proxy.DisposeAsync();
    }

    [Fact]
    public async Task Load_OfWhatWasSaved_HasTheTrailsThatTellSomethingAndTakesOutTheOthers()
    {
        await PutAsync("trail/a.example.org", string.Join('\n', Keys(10)) + "\nno key\n\n");
        await PutAsync("trail/made-up.example.org", string.Join('\n', Keys(3)));
        await PutAsync("trail/no name", string.Join('\n', Keys(10)));
        await PutAsync("other/b.example.org", string.Join('\n', Keys(10)));
        SavedTrails saved = Load();
        Assert.Equal((1, 10), saved.Trails.Held);
        Fqrn name = Fqrn.Parse("a.example.org");
        Assert.Empty(saved.Trails.Follow(name, Keys(10)[0]));
        Assert.Empty(saved.Trails.Follow(name, Keys(10)[1]));
        Assert.Equal(Keys(10)[3..], saved.Trails.Follow(name, Keys(10)[2]));

        await saved.SaveAsync();
        Assert.Equal(["trail/a.example.org", "trail/no name"], Documents.Keys("trail/").Order(StringComparer.Ordinal));
        Assert.Single(Documents.Keys("other/"));
    }

    [Fact]
    public async Task Save_WhatClientsWaitedFor_IsThereAfterARestart()
    {
        SavedTrails saved = Load();
        foreach (ObjectKey key in Keys(5))
        {
            saved.OnVerified(Order(key, FetchPriority.Demand));
        }

        saved.OnVerified(Order(Keys(6)[5], FetchPriority.Prefetch)); // nobody waited for that
        await saved.SaveAsync();
        Assert.True(Documents.TryGet("trail/a.example.org", out StoredDocument? document));
        Assert.Equal(string.Join('\n', Keys(5)), Encoding.ASCII.GetString(document.Body.Span));
        Assert.Equal((1, 5), Load().Trails.Held);
    }

    [Fact]
    public void OnVerified_WhereNothingIsLearned_LeavesNothing()
    {
        SavedTrails saved = Load(new WorkingSetOptions { Learn = false });
        saved.OnVerified(Order(Keys(1)[0], FetchPriority.Demand));

        Assert.Equal((0, 0), saved.Trails.Held);
    }

    private Task PutAsync(string name, string text) =>
        Documents.PutAsync(name, new StoredDocument(Encoding.ASCII.GetBytes(text), default, DateTimeOffset.UtcNow)).AsTask().InTimeAsync();

    private SavedTrails Load(WorkingSetOptions? options = null) =>
        new(Documents, options ?? new WorkingSetOptions(), TimeProvider.System, NullLogger<SavedTrails>.Instance);

    private static FetchOrder Order(ObjectKey key, FetchPriority priority) =>
        new(key, new RepositoryRoute(Fqrn.Parse("a.example.org"), "test"), key.ToPath(), null, priority);

    private static ObjectKey[] Keys(int count) =>
        [.. Enumerable.Range(1, count).Select(i => ObjectKey.Parse(i.ToString("x8").PadRight(40, '0')))];
}

using Breakwater.CacheStore.Documents;
using Breakwater.CacheStore.Store;

namespace Breakwater.CacheStore.Tests.Documents;

public sealed class DocumentStoreTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private FasterObjectStore _store = null!;

    public async Task InitializeAsync() => _store = await FasterObjectStore.OpenAsync(new StoreOptions { Path = _directory.Path });

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(500)]
    [InlineData(3_000_000)]
    public async Task Document_Put_IsThereAtOnceAndAfterRestart(int length)
    {
        StoredDocument document =
            new(TestObjects.Bytes(1, length), TestObjects.Bytes(2, 300), new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero));

        await _store.Documents.PutAsync("cvmfs/minios/.cvmfspublished", document);

        AssertSame(document, "cvmfs/minios/.cvmfspublished");
        await ReopenAsync();
        AssertSame(document, "cvmfs/minios/.cvmfspublished");
    }

    [Fact]
    public async Task Document_PutAgain_TheNewestWins()
    {
        for (int i = 0; i < 5; i++)
        {
            await _store.Documents.PutAsync("a", new StoredDocument(new[] { (byte)i }, default, DateTimeOffset.UnixEpoch));
        }

        await ReopenAsync();

        Assert.True(_store.Documents.TryGet("a", out StoredDocument? document));
        Assert.Equal([4], document.Body.ToArray());
    }

    [Fact]
    public async Task Document_Removed_StaysRemoved()
    {
        await _store.Documents.PutAsync("a/1", new StoredDocument(new byte[1], default, DateTimeOffset.UnixEpoch));
        await _store.Documents.PutAsync("a/2", new StoredDocument(new byte[1], default, DateTimeOffset.UnixEpoch));
        await _store.Documents.PutAsync("b", new StoredDocument(new byte[1], default, DateTimeOffset.UnixEpoch));

        Assert.True(_store.Documents.Remove("a/1"));
        Assert.False(_store.Documents.Remove("a/1"));
        await ReopenAsync();

        Assert.False(_store.Documents.TryGet("a/1", out _));
        Assert.Equal(["a/2"], _store.Documents.Keys("a/"));
        Assert.Equal(["a/2", "b"], _store.Documents.Keys().Order());
    }

    [Fact]
    public async Task Document_TooLong_IsRefusedByName()
    {
        StoredDocument document = new(new byte[_store.Documents.MaxDocumentBytes + 1], default, DateTimeOffset.UnixEpoch);

        ArgumentException refusal =
            await Assert.ThrowsAsync<ArgumentException>(async () => await _store.Documents.PutAsync("big", document));

        Assert.Contains("'big'", refusal.Message, StringComparison.Ordinal);
        Assert.False(_store.Documents.TryGet("big", out _));
    }

    [Fact]
    public async Task Documents_PutAgainAndAgain_DoNotFillTheDisk()
    {
        await _store.Documents.PutAsync("old", new StoredDocument(TestObjects.Bytes(7, 5000), default, DateTimeOffset.UnixEpoch));
        await _store.Documents.PutAsync("old and long",
            new StoredDocument(TestObjects.Bytes(8, 500_000), default, DateTimeOffset.UnixEpoch));
        for (int i = 0; i < 300; i++)
        {
            await _store.Documents.PutAsync($"d{i % 5}",
                new StoredDocument(TestObjects.Bytes(i, 1_000_000), default, DateTimeOffset.UnixEpoch));
        }

        await ReopenAsync();

        Assert.True(_store.Documents.TryGet("old", out StoredDocument? old) && old.Body.Span.SequenceEqual(TestObjects.Bytes(7, 5000)));
        Assert.True(_store.Documents.TryGet("old and long", out old) && old.Body.Span.SequenceEqual(TestObjects.Bytes(8, 500_000)));
        for (int i = 295; i < 300; i++)
        {
            Assert.True(_store.Documents.TryGet($"d{i % 5}", out StoredDocument? document));
            Assert.True(document.Body.Span.SequenceEqual(TestObjects.Bytes(i, 1_000_000)));
        }

        long bytes = new DirectoryInfo(Path.Combine(_directory.Path, "documents")).EnumerateFiles("*.seg").Sum(file => file.Length);
        Assert.True(bytes <= 4 * (32 << 20), $"{bytes} bytes on disk");
    }

    private async Task ReopenAsync()
    {
        await _store.DisposeAsync();
        await InitializeAsync();
    }

    private void AssertSame(StoredDocument expected, string key)
    {
        Assert.True(_store.Documents.TryGet(key, out StoredDocument? found));
        Assert.Equal(expected.Body.ToArray(), found.Body.ToArray());
        Assert.Equal(expected.Head.ToArray(), found.Head.ToArray());
        Assert.Equal(expected.StoredAt, found.StoredAt);
    }
}

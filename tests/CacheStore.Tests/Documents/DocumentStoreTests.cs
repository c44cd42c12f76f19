using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Documents;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;

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

        await _store.DisposeAsync();
        Assert.InRange(DiskBytes(), 1, 4 * (32 << 20));
        Assert.True(CommitRecord.TryRead(Folder, new StoreDisk(), out CommittedRange range));
        Assert.InRange(range.UntilAddress, 300_000_000, 42L << 23); // only what is old is written again: each page has room for eight
        await InitializeAsync();

        Assert.True(_store.Documents.TryGet("old", out StoredDocument? old) && old.Body.Span.SequenceEqual(TestObjects.Bytes(7, 5000)));
        Assert.True(_store.Documents.TryGet("old and long", out old) && old.Body.Span.SequenceEqual(TestObjects.Bytes(8, 500_000)));
        for (int i = 295; i < 300; i++)
        {
            Assert.True(_store.Documents.TryGet($"d{i % 5}", out StoredDocument? document));
            Assert.True(document.Body.Span.SequenceEqual(TestObjects.Bytes(i, 1_000_000)));
        }
    }

    /// <summary>To write again what is alive wins nothing where that is most of the log.</summary>
    [Fact]
    public async Task Documents_ThatAreAllNeeded_AreNotWrittenAgain()
    {
        StoredDocument document = new(TestObjects.Bytes(1, 1_000_000), default, DateTimeOffset.UnixEpoch);
        await Task.WhenAll(Enumerable.Range(0, 70).Select(i => _store.Documents.PutAsync($"d{i}", document).AsTask())).InTimeAsync();
        await _store.Documents.PutAsync("last", document);
        await _store.DisposeAsync().AsTask().InTimeAsync();

        Assert.Equal(3, Directory.GetFiles(Folder, "*.seg").Length);
        Assert.True(CommitRecord.TryRead(Folder, new StoreDisk(), out CommittedRange range));
        Assert.Equal(BlobLog.FirstAddress, range.BeginAddress);
    }

    /// <summary>What was the newest one before a restart is so after it: the log has them in the order in which they were seen.</summary>
    [Fact]
    public async Task Documents_PutByManyAtOnce_AreAfterARestartWhatTheyWere()
    {
        const int Keys = 40;
        await Task.WhenAll(Enumerable.Range(0, Keys * 8).Select(i => Task.Run(async () => await _store.Documents.PutAsync(
            $"d{i % Keys}", new StoredDocument(BitConverter.GetBytes(i), default, DateTimeOffset.UnixEpoch))))).InTimeAsync();
        int[] before = Values();
        await ReopenAsync();

        Assert.Equal(before, Values());

        int[] Values() => [.. Enumerable.Range(0, Keys).Select(key =>
            _store.Documents.TryGet($"d{key}", out StoredDocument? found) ? BitConverter.ToInt32(found.Body.Span) : -1)];
    }

    private string Folder => Path.Combine(_directory.Path, "documents");

    private long DiskBytes() => new DirectoryInfo(Folder).EnumerateFiles("*.seg").Sum(static file => file.Length);

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

using System.Buffers.Binary;
using Breakwater.CacheStore.Documents;
using Breakwater.CacheStore.Store;

namespace Breakwater.CacheStore.Tests.Documents;

/// <summary>What an entry of a document may have, and which documents stay in memory.</summary>
public sealed class DocumentEntryTests
{
    private static readonly DateTimeOffset s_time = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 5)]
    [InlineData(7, 0)]
    [InlineData(7, 5)]
    public void Entry_OfADocument_IsReadBack(int head, int body)
    {
        StoredDocument document = new(TestObjects.Bytes(1, body), TestObjects.Bytes(2, head), s_time);
        byte[] payload = DocumentEntry.Encode("é", document);
        Assert.Equal(14 + 2 + head + body, payload.Length);
        Assert.True(DocumentEntry.TryDecode(payload, out string key, out StoredDocument found));
        Assert.Equal(("é", s_time), (key, found.StoredAt));
        Assert.Equal(document.Head.ToArray(), found.Head.ToArray());
        Assert.Equal(document.Body.ToArray(), found.Body.ToArray());
        Assert.True(DocumentEntry.TryDecode(DocumentEntry.Encode("gone", null), out key, out found));
        Assert.Equal(("gone", DateTimeOffset.MinValue, 0, 0), (key, found.StoredAt, found.Head.Length, found.Body.Length));
    }

    [Theory]
    [InlineData(13, 0, 0, 0, false)]
    [InlineData(14, 0, 0, 0, true)]
    [InlineData(20, 2, 4, 0, true)]
    [InlineData(20, 2, 5, 0, false)]
    [InlineData(20, 3, 4, 0, false)]
    [InlineData(20, 2, -1, 0, false)]
    [InlineData(20, 2, int.MaxValue, 0, false)]
    [InlineData(20, 2, 4, -1, false)]
    [InlineData(20, 2, 4, 3155378975999999999, true)] // the last moment that a clock can show
    [InlineData(20, 2, 4, 3155378976000000000, false)]
    public void Entry_OfSoManyBytes_IsADocumentOrNone(int bytes, int keyBytes, int headBytes, long ticks, bool isOne)
    {
        byte[] payload = new byte[20];
        BinaryPrimitives.WriteUInt16LittleEndian(payload, (ushort)keyBytes);
        BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(2), headBytes);
        BinaryPrimitives.WriteInt64LittleEndian(payload.AsSpan(6), ticks);
        Assert.Equal(isOne, DocumentEntry.TryDecode(payload.AsMemory(0, bytes), out _, out _));
    }

    /// <summary>
    /// Up to 64 KiB with key and head a document is in memory, before and after a restart; a longer one is read from the disk.
    /// </summary>
    [Theory]
    [InlineData(64 << 10, true)]
    [InlineData((64 << 10) + 1, false)]
    public async Task Document_OfALength_IsInMemoryOrNot(int payload, bool isInMemory)
    {
        using TemporaryDirectory directory = new();
        StoredDocument document = new(TestObjects.Bytes(1, payload - 14 - 1), default, s_time);
        for (int i = 0; i < 2; i++)
        {
            await using FasterObjectStore store = await FasterObjectStore.OpenAsync(new StoreOptions { Path = directory.Path });
            if (i == 0)
            {
                await store.Documents.PutAsync("k", document);
            }

            Assert.True(store.Documents.TryGet("k", out StoredDocument? first));
            Assert.True(store.Documents.TryGet("k", out StoredDocument? second));
            Assert.Equal(isInMemory, ReferenceEquals(first, second));
            Assert.Equal(document.Body.ToArray(), second.Body.ToArray());
        }
    }

    [Fact]
    public async Task Document_OfTheGreatestLengths_IsTakenAndOneByteMoreIsNot()
    {
        using TemporaryDirectory directory = new();
        await using FasterObjectStore store = await FasterObjectStore.OpenAsync(new StoreOptions { Path = directory.Path });
        string key = new('k', DocumentEntry.MaxKeyBytes);
        int most = store.Documents.MaxDocumentBytes;
        Assert.Equal((8 << 20) - (64 + 68) - (4096 + 64), most); // a page, its first address and a header, the longest key and the rest
        await store.Documents.PutAsync(key, new StoredDocument(new byte[most - 100], new byte[100], s_time));
        Assert.True(store.Documents.TryGet(key, out StoredDocument? found));
        Assert.Equal((most - 100, 100), (found.Body.Length, found.Head.Length));
        await Assert.ThrowsAsync<ArgumentException>(
            async () => await store.Documents.PutAsync("k", new StoredDocument(new byte[most - 99], new byte[100], s_time)));
        await Assert.ThrowsAsync<ArgumentException>(
            async () => await store.Documents.PutAsync(key + "k", new StoredDocument(default, default, s_time)));
        Assert.Equal([key], store.Documents.Keys());
    }
}

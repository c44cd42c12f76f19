using Breakwater.CacheStore;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Http;

/// <summary>A body on its way from an origin.</summary>
public sealed class BodyFeedTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly byte[] _bytes = new SyntheticObject(3_000).Bytes;
    private FasterObjectStore _store = null!;

    public async Task InitializeAsync() =>
        _store = await FasterObjectStore.OpenAsync(new StoreOptions { Path = _directory.Combine("store") });

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    /// <summary>
    /// A client that has all of a body that is named by its hash may ask another host for it at once: that it is here must be known by
    /// then.
    /// </summary>
    [Fact]
    public async Task LastBytes_OfAProvedBody_AreNobodysBeforeItIsKnownToBeKept()
    {
        IObjectStore slices = _store.Named.Slices;
        var feed = new BodyFeed("an identity"u8.ToArray(), 0, _bytes.Length, slices, TimeProvider.System);
        StoredHead head = HeadOf(feed.BodyId, _bytes.Length);
        using var reader = new BodyReader(head, feed, slices, new BodyFeeds(), (_, _, _) => Task.FromResult<BodyFeed?>(null));
        byte[] buffer = new byte[_bytes.Length];
        Task<int>? last = null;

        _bytes.AsMemory(0, 1_000).CopyTo(await feed.RoomAsync(CancellationToken.None));
        feed.Advance(1_000);
        _bytes.AsMemory(1_000).CopyTo(await feed.RoomAsync(CancellationToken.None));
        feed.AdvanceLast(2_000);
        int first = await reader.ReadAsync(0, _bytes.Length, buffer, CancellationToken.None);
        await feed.EndAsync(length =>
        {
            Assert.Equal(_bytes.Length, length);
            Assert.True(slices.Contains(BodySlice.KeyOf(feed.BodyId, 0)));
            last = reader.ReadAsync(1_000, _bytes.Length, buffer.AsMemory(1_000), CancellationToken.None).AsTask();
            Assert.False(last.IsCompleted);
        }, CancellationToken.None);

        Assert.Equal((1_000, 2_000), (first, await last!.InTimeAsync()));
        Assert.Equal(_bytes, buffer);
    }

    /// <summary>Whoever comes later finds all that was paid for.</summary>
    [Fact]
    public async Task Abandoned_ItsLastSlice_IsKept()
    {
        IObjectStore slices = _store.Named.Slices;
        var feed = new BodyFeed("an identity"u8.ToArray(), 0, 3 * BodySlice.SizeBytes, slices, TimeProvider.System);
        for (long at = 0; at < BodySlice.SizeBytes;)
        {
            int room = (await feed.RoomAsync(CancellationToken.None)).Length;
            feed.Advance(room);
            at += room;
        }

        await feed.AbandonAsync(CancellationToken.None);

        Assert.True(slices.Contains(BodySlice.KeyOf(feed.BodyId, 0)));
        Assert.True(feed.IsBroken);
        Assert.False(await feed.Completion.Task.InTimeAsync());
    }

    [Theory]
    [InlineData(0, 100, true)] // far behind
    [InlineData(0, 50, false)] // has all he wants
    [InlineData(57, 100, true)] // near in front
    [InlineData(58, 100, false)] // far in front: a part of his own
    [InlineData(-1, 0, true)] // has not begun
    public async Task Body_FromItsFiftiethSlice_IsWantedByWho(int atSlice, int endSlice, bool isWanted)
    {
        var feeds = new BodyFeeds();
        StoredHead head = HeadOf("an identity"u8.ToArray(), 100 * BodySlice.SizeBytes);
        using (var reader = new BodyReader(head, null, _store.Named.Slices, feeds, (_, _, _) => Task.FromResult<BodyFeed?>(null)))
        {
            if (atSlice >= 0)
            {
                await Assert.ThrowsAsync<IOException>(async () => await reader.ReadAsync(
                    atSlice * BodySlice.SizeBytes, endSlice * BodySlice.SizeBytes, new byte[1], CancellationToken.None));
            }

            Assert.Equal(isWanted, feeds.IsWanted(head.BodyId, 50 * BodySlice.SizeBytes));
        }

        Assert.False(feeds.IsWanted(head.BodyId, 50 * BodySlice.SizeBytes));
        using (BodyInterest waits = feeds.Want(head.BodyId, 51 * BodySlice.SizeBytes))
        {
            Assert.True(feeds.IsWanted(head.BodyId, 50 * BodySlice.SizeBytes));
            Assert.False(feeds.IsWanted(head.BodyId, 51 * BodySlice.SizeBytes));
        }

        Assert.False(feeds.IsWanted(head.BodyId, 50 * BodySlice.SizeBytes));
    }

    private static StoredHead HeadOf(byte[] bodyId, long length) => new()
    {
        Status = 200,
        Fields = new HeaderFields(),
        RequestedAt = default,
        ReceivedAt = default,
        BodyId = bodyId,
        Length = length,
    };
}

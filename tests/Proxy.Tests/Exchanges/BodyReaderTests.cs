using Breakwater.CacheStore;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Tests.Caching;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>A client's way through a body: what is on its way, what is stored, and what is missing.</summary>
public sealed class BodyReaderTests(SliceStore store) : IClassFixture<SliceStore>
{
    private const int Slice = BodySlice.SizeBytes;
    private const int Length = Slice + 5;
    private readonly byte[] _id = Guid.NewGuid().ToByteArray();
    private readonly byte[] _bytes = new SyntheticObject(Length).Bytes;
    private readonly BodyFeeds _feeds = new();
    private readonly List<(long Offset, long End)> _filled = [];

    private IObjectStore Slices => store.Named.Slices;

    [Fact]
    public async Task Feed_OfUnknownLength_IsReadAsItComesAndEndsWhereItEnds()
    {
        BodyFeed feed = Feed(0, null);
        using BodyReader reader = Reader(null, feed);
        Assert.False(feed.HasBeenRead);
        Task<byte[]> first = ReadAsync(reader, 0, 9);
        Assert.False(first.IsCompleted);
        await WriteAsync(feed, 4);

        Assert.Equal(_bytes[..4], await first.InTimeAsync());
        Assert.Equal((4L, null, true, (0L, 4L)), (feed.Position, feed.End, feed.HasBeenRead, reader.Had));
        Assert.Same(feed, reader.LastFeed);
        await WriteAsync(feed, Slice);
        Assert.True(BodySlice.IsStored(Slices, _id, 0));
        for (int at = 4; at < Slice;)
        {
            byte[] part = await ReadAsync(reader, at, Slice);
            Assert.Equal(_bytes[at..(at + part.Length)], part);
            at += part.Length;
        }

        Assert.Equal(_bytes[Slice..(Slice + 4)], await ReadAsync(reader, Slice, 9));
        await WriteAsync(feed, 1);
        long? whole = null;
        await feed.EndAsync(length => whole = length, CancellationToken.None);

        Assert.Equal(((long?)Length, (long?)Length), (whole, feed.End));
        Assert.Equal((0L, Slice + 4L), reader.Had);
        Assert.Equal(_bytes[(Slice + 4)..], await ReadAsync(reader, Slice + 4, 9));
        Assert.Empty(await ReadAsync(reader, Length, 9));
        Assert.True(await feed.Completion.Task.InTimeAsync());
        Assert.False(feed.IsBroken);
        Assert.Empty(_filled);
    }

    [Fact]
    public async Task Feed_Memory_IsOneSliceAndNoMoreThanIsLeft()
    {
        BodyFeed feed = Feed(Slice, Length);

        Assert.Equal(5, (await feed.RoomAsync(CancellationToken.None)).Length);
        feed.Advance(2);
        Assert.Equal(3, (await feed.RoomAsync(CancellationToken.None)).Length);
        Assert.Equal(Slice, (await Feed(0, Length).RoomAsync(CancellationToken.None)).Length);
        Assert.Equal(Slice, (await Feed(0, null).RoomAsync(CancellationToken.None)).Length);
        Task waits = feed.WaitBeyondAsync(Slice + 2);
        Assert.False(waits.IsCompleted);
        feed.Break();
        await waits.InTimeAsync();
        Assert.True(feed.IsBroken);
        Assert.False(await feed.Completion.Task.InTimeAsync());
    }

    [Fact]
    public async Task Feed_Reads_SayWhereABytesIs()
    {
        BodyFeed feed = Feed(Slice, null);
        using BodyReader reader = Reader(null, feed);
        byte[] buffer = new byte[9];
        Assert.Equal(FeedRead.Elsewhere, feed.Read(reader, Slice - 1, buffer, out _));
        Assert.Equal(FeedRead.Wait, feed.Read(reader, Slice, buffer, out _));
        Task moved = feed.WaitBeyondAsync(Slice);
        Assert.False(moved.IsCompleted);
        new byte[] { 1, 2, 3 }.CopyTo(await feed.RoomAsync(CancellationToken.None));
        feed.Advance(3);

        await moved.InTimeAsync();
        Assert.True(feed.WaitBeyondAsync(Slice + 2).IsCompleted);
        Assert.False(feed.WaitBeyondAsync(Slice + 3).IsCompleted);
        Assert.Equal(FeedRead.Bytes, feed.Read(reader, Slice + 1, buffer.AsSpan(..1), out int read));
        Assert.Equal((1, (byte)2), (read, buffer[0]));
        Assert.Equal(FeedRead.Bytes, feed.Read(reader, Slice + 1, buffer, out read));
        Assert.Equal(2, read);
        Assert.Equal(FeedRead.Wait, feed.Read(reader, Slice + 3, buffer, out read));
        await feed.EndAsync(null, CancellationToken.None);

        Assert.Equal(FeedRead.Ended, feed.Read(reader, Slice + 3, buffer, out _));
        Assert.True(feed.WaitBeyondAsync(Slice + 3).IsCompleted);
        Assert.Equal(FeedRead.Elsewhere, feed.Read(reader, Slice, buffer, out _));
        Assert.Equal(Slice + 3, feed.End);
        feed.Break();
        Assert.False(feed.IsBroken);
    }

    [Fact]
    public async Task Feed_LastBytesThatAreYetToBeProved_AreNobodys()
    {
        BodyFeed feed = Feed(0, 3);
        using BodyReader reader = Reader(3, feed);
        byte[] buffer = new byte[9];
        new byte[] { 1, 2, 3 }.CopyTo(await feed.RoomAsync(CancellationToken.None));
        feed.Advance(1);
        Assert.Equal(3, feed.Released(0, 3));
        feed.AdvanceLast(2);

        Assert.Equal((1L, 1, 0, 1), (feed.Position, feed.Released(0, 3), feed.Released(1, 2), feed.Released(0, 1)));
        Assert.Equal(FeedRead.Bytes, feed.Read(reader, 0, buffer, out int read));
        Assert.Equal(1, read);
        Assert.Equal(FeedRead.Wait, feed.Read(reader, 1, buffer, out _));
        await feed.EndAsync(null, CancellationToken.None);

        Assert.Equal((3L, 3), (feed.Position, feed.Released(0, 3)));
    }

    /// <summary>What the store does not take is read from memory, and ends where it ends: none of it counts twice.</summary>
    [Fact]
    public async Task Feed_ThatTheStoreDoesNotTake_EndsWhereItEnds()
    {
        await using var refusing = new WatchedSlices(Slices) { TakesAll = false };
        var feed = new BodyFeed(_id, 0, 3, refusing, TimeProvider.System);
        using var reader = new BodyReader(HeadOf(3), feed, refusing, _feeds, (_, _, _) => Task.FromResult<BodyFeed?>(null));
        new byte[] { 1, 2, 3 }.CopyTo(await feed.RoomAsync(CancellationToken.None));
        feed.AdvanceLast(3);
        long? whole = null;
        await feed.EndAsync(length => whole = length, CancellationToken.None);

        Assert.Equal((3L, (long?)3, false, null), (feed.Position, feed.End, feed.IsStored, whole));
        Assert.Equal([1, 2, 3], await ReadAsync(reader, 0, 9));
        Assert.Empty(await ReadAsync(reader, 3, 9));
    }

    /// <summary>A slice that is being read stays, though the store forgets it meanwhile; it is let go of at the next one.</summary>
    [Fact]
    public async Task Slices_OneAfterTheOther_AreHeldWhileTheyAreRead()
    {
        await StoreAsync(0, Slice);
        await StoreAsync(1, Length - Slice);
        await using var slices = new WatchedSlices(Slices);
        var reader = new BodyReader(HeadOf(Length), null, slices, _feeds, (_, _, _) => Task.FromResult<BodyFeed?>(null));
        Assert.Equal(_bytes[..9], await ReadAsync(reader, 0, 9));
        Assert.True(Slices.Remove(BodySlice.KeyOf(_id, 0)));

        Assert.Equal(_bytes[9..18], await ReadAsync(reader, 9, 9));
        Assert.Equal(1, slices.Leases);
        Assert.Equal(_bytes[Slice..], await ReadAsync(reader, Slice, 9));
        Assert.Equal(1, slices.Leases);
        reader.Dispose();
        Assert.Equal(0, slices.Leases);
    }

    [Fact]
    public async Task Abandoned_WhatHasCome_IsKeptAndTheRestIsAskedForAgain()
    {
        BodyFeed feed = Feed(0, Length);
        await WriteAsync(feed, Slice);
        await feed.AbandonAsync(CancellationToken.None);
        Assert.True(feed.IsBroken);
        _feeds.Remove(feed);
        using BodyReader reader = Reader(Length, feed);

        Assert.Equal(_bytes[..9], await ReadAsync(reader, 0, 9));
        IOException cut = await Assert.ThrowsAsync<IOException>(() => ReadAsync(reader, Slice, 9));

        Assert.Equal("a part of the body is not here any more and cannot be had again", cut.Message);
        Assert.Equal([((long)Slice, (long)Length)], _filled);
        Assert.Equal((0L, (long)Slice), reader.Had);
    }

    [Fact]
    public async Task Missing_Part_ComesByItsFetchTwiceAtMost()
    {
        int fills = 0;
        using var reader = new BodyReader(HeadOf(Length), null, Slices, _feeds, async (offset, end, cancellation) =>
        {
            fills++;
            BodyFeed part = Feed(0, Length);
            if (fills == 1)
            {
                part.Break();
                return part;
            }

            await WriteAsync(part, 3);
            return part;
        });

        Assert.Equal(_bytes[..3], await ReadAsync(reader, 0, 9));
        Assert.Equal(2, fills);
    }

    [Fact]
    public async Task Missing_PartWhoseFetchesBreakOff_IsGivenUpAfterTwo()
    {
        int fills = 0;
        using var reader = new BodyReader(HeadOf(Length), null, Slices, _feeds, (_, _, _) =>
        {
            fills++;
            BodyFeed part = Feed(0, Length);
            part.Break();
            return Task.FromResult<BodyFeed?>(part);
        });

        await Assert.ThrowsAsync<IOException>(() => ReadAsync(reader, 0, 9));
        Assert.Equal((2, (0L, 0L)), (fills, reader.Had));
    }

    [Fact]
    public async Task Body_ThatIsGone_HasASuccessorTwiceAtMost()
    {
        byte[] other = Guid.NewGuid().ToByteArray();
        int asked = 0;
        using var reader = new BodyReader(HeadOf(Length), null, Slices, _feeds, (_, _, _) => Task.FromResult<BodyFeed?>(null), (_, _) =>
        {
            asked++;
            return Task.FromResult<(StoredHead, BodyFeed?)?>((HeadOf(Length) with { BodyId = asked == 1 ? other : _id }, null));
        });

        await Assert.ThrowsAsync<IOException>(() => ReadAsync(reader, 0, 9));
        Assert.Equal(2, asked);
        Assert.Equal(_id, reader.Head.BodyId);
        Assert.True(_feeds.IsWanted(_id, 0));
        Assert.False(_feeds.IsWanted(other, 0));
    }

    [Fact]
    public async Task Dispose_OfAReader_WantsItNoLonger()
    {
        BodyReader reader = Reader(Length, null);
        Assert.True(_feeds.IsWanted(_id, 0));
        BodyFeed feed = Feed(0, Length);
        await WriteAsync(feed, 1);
        Assert.Equal(_bytes[..1], await ReadAsync(reader, 0, 1));
        Assert.True(_feeds.IsWanted(_id, 1));

        reader.Dispose();

        Assert.False(_feeds.IsWanted(_id, 0));
        Assert.Same(feed, reader.LastFeed);
    }

    private BodyFeed Feed(long first, long? end)
    {
        var feed = new BodyFeed(_id, first, end, Slices, TimeProvider.System);
        _feeds.Add(feed);
        return feed;
    }

    private StoredHead HeadOf(long? length) => Headers.Stored("X: y") with { BodyId = _id, Length = length };

    private BodyReader Reader(long? length, BodyFeed? feed) => new(HeadOf(length), feed, Slices, _feeds, (offset, end, _) =>
    {
        _filled.Add((offset, end));
        return Task.FromResult<BodyFeed?>(null);
    });

    private async Task StoreAsync(int index, int count)
    {
        await using ObjectWriter writer = Slices.BeginWrite(BodySlice.KeyOf(_id, index), count);
        Assert.Null(await writer.AppendAsync(_bytes.AsMemory(index * Slice, count)));
        Assert.True(writer.Verify());
        Assert.Equal(CommitResult.Committed, await writer.CommitAsync().InTimeAsync());
    }

    private async Task WriteAsync(BodyFeed feed, int count)
    {
        for (int left = count; left > 0;)
        {
            Memory<byte> room = await feed.RoomAsync(CancellationToken.None);
            int take = Math.Min(left, room.Length);
            _bytes.AsMemory((int)feed.Position, take).CopyTo(room);
            feed.Advance(take);
            left -= take;
        }
    }

    /// <summary>Reads once.</summary>
    private async Task<byte[]> ReadAsync(BodyReader reader, long offset, int most)
    {
        byte[] buffer = new byte[most];
        int read = await reader.ReadAsync(offset, Length, buffer, CancellationToken.None).InTimeAsync();
        return buffer[..read];
    }
}

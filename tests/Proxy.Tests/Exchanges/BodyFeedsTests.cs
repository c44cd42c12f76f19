using Breakwater.Proxy.Exchanges;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>Which body under way is waited for, and that no part is asked for twice at a time.</summary>
public sealed class BodyFeedsTests
{
    private const long Near = BodyFeeds.NearBytes;
    private const long Slice = BodySlice.SizeBytes;
    private static readonly byte[] s_id = [1, 2, 3];
    private readonly BodyFeeds _feeds = new();

    [Theory]
    [InlineData(0, null, 0, true)]
    [InlineData(0, null, Near - 1, true)]
    [InlineData(0, null, Near, false)]
    [InlineData(Slice, null, Slice - 1, false)]
    [InlineData(Slice, null, Slice, true)]
    [InlineData(0, 10L, 9, true)]
    [InlineData(0, 10L, 10, false)]
    public void Find_FeedThatWillHaveTheByteSoon_IsIt(long first, long? end, long offset, bool isFound)
    {
        BodyFeed feed = Feed(first, end);

        Assert.Equal(isFound ? feed : null, _feeds.Find(s_id, offset));
        Assert.Null(_feeds.Find([9], offset));
        Assert.Null(_feeds.Find(s_id, offset, besides: feed));
    }

    [Fact]
    public void Find_OfSeveral_IsTheOneThatWillHaveItFirst()
    {
        BodyFeed far = Feed(0, null);
        BodyFeed near = Feed(3 * Slice, null);
        BodyFeed nearToo = Feed(3 * Slice, null);
        BodyFeed behind = Feed(6 * Slice, null);

        Assert.Same(near, _feeds.Find(s_id, 5 * Slice));
        Assert.Same(nearToo, _feeds.Find(s_id, 5 * Slice, besides: near));
        Assert.Same(far, _feeds.Find(s_id, 2 * Slice));
        Assert.Same(far, _feeds.Find(s_id, 0, nearBytes: 1));
        Assert.Null(_feeds.Find(s_id, 1, nearBytes: 1));
        _feeds.Remove(far);
        Assert.Null(_feeds.Find(s_id, 2 * Slice));
        Assert.Same(behind, _feeds.Find(s_id, 6 * Slice));
    }

    [Fact]
    public void Remove_OneOfTwo_LeavesTheOther()
    {
        BodyFeed one = Feed(0, null);
        BodyFeed other = Feed(0, null);
        _feeds.Remove(one);
        Assert.Same(other, _feeds.Find(s_id, 0));
        _feeds.Remove(one); // it is gone already
        Assert.Same(other, _feeds.Find(s_id, 0));

        _feeds.Remove(other);
        Assert.Null(_feeds.Find(s_id, 0));
    }

    [Fact]
    public async Task Find_FeedThatBroke_IsNone()
    {
        BodyFeed feed = Feed(0, null);
        Assert.Equal((false, false), (feed.IsBroken, feed.Completion.Task.IsCompleted));

        feed.Break();

        Assert.Null(_feeds.Find(s_id, 0));
        Assert.True(feed.IsBroken);
        Assert.False(await feed.Completion.Task.InTimeAsync());
    }

    [Fact]
    public void IsWanted_Offset_ByWhoeverIsNotFarInFrontOfItNorEndsBefore()
    {
        BodyInterest interest = _feeds.Want(s_id, end: 100 * Slice);
        Assert.True(_feeds.IsWanted(s_id, 50 * Slice));
        Assert.True(_feeds.IsWanted(s_id, (100 * Slice) - 1));
        Assert.False(_feeds.IsWanted(s_id, 100 * Slice));
        Assert.False(_feeds.IsWanted([9], 0));

        interest.Move(Near + 10, 90 * Slice);
        Assert.False(_feeds.IsWanted(s_id, 10));
        Assert.True(_feeds.IsWanted(s_id, 11));
        Assert.False(_feeds.IsWanted(s_id, 90 * Slice));

        using (_feeds.Want(s_id))
        {
            Assert.True(_feeds.IsWanted(s_id, 1000 * Slice));
        }

        interest.Dispose();
        Assert.False(_feeds.IsWanted(s_id, 11));
    }

    [Fact]
    public async Task JoinOrAsk_WhatWasAskedFor_IsWaitedFor()
    {
        var coming = new TaskCompletionSource<BodyFeed?>();
        int asked = 0;
        Task<BodyFeed?> first = Ask(Slice);
        Task<BodyFeed?> second = Ask((3 * Slice) - 1);
        Task<BodyFeed?> behind = Ask(3 * Slice);
        Task<BodyFeed?> ofNode = Ask(Slice, isForNode: true);

        Assert.Same(first, second);
        Assert.NotSame(first, behind);
        Assert.NotSame(first, ofNode);
        Assert.Equal((false, true, true, false),
            (_feeds.IsAsked(s_id, Slice - 1), _feeds.IsAsked(s_id, Slice), _feeds.IsAsked(s_id, (5 * Slice) - 1),
            _feeds.IsAsked(s_id, 5 * Slice)));
        BodyFeed feed = Feed(Slice, 3 * Slice);
        coming.SetResult(feed);

        Assert.Same(feed, await first.InTimeAsync());
        Assert.Same(feed, await behind.InTimeAsync());
        Assert.Same(feed, await ofNode.InTimeAsync());
        Assert.Equal(3, asked);
        Assert.False(_feeds.IsAsked(s_id, Slice));
        Assert.Same(feed, await Ask(2 * Slice).InTimeAsync());
        Assert.Equal(3, asked);

        Task<BodyFeed?> Ask(long offset, bool isForNode = false) => _feeds.JoinOrAsk(
            s_id, offset, isForNode, () => new RangePlan(BodySlice.StartOf(offset), BodySlice.StartOf(offset) + (2 * Slice)), _ =>
            {
                Interlocked.Increment(ref asked);
                return coming.Task;
            });
    }

    [Fact]
    public async Task JoinOrAsk_WhatIsStoredByNowOrCannotBeHad_IsNothing()
    {
        Assert.Null(await _feeds.JoinOrAsk(s_id, 0, false, () => null, _ => throw new InvalidOperationException()).InTimeAsync());
        Assert.False(_feeds.IsAsked(s_id, 0));

        Task<BodyFeed?> failed = _feeds.JoinOrAsk(
            s_id, 0, false, () => new RangePlan(0, Slice), _ => Task.FromException<BodyFeed?>(new IOException("gone")));

        await Assert.ThrowsAsync<IOException>(() => failed.InTimeAsync());
        Assert.False(_feeds.IsAsked(s_id, 0));
    }

    private BodyFeed Feed(long first, long? end)
    {
        var feed = new BodyFeed(s_id, first, end, null!, TimeProvider.System); // nothing of it comes
        _feeds.Add(feed);
        return feed;
    }
}

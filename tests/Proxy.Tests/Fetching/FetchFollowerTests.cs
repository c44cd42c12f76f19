using Breakwater.CacheStore;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Tests.Exchanges;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Fetching;

/// <summary>
/// One request's part in a fetch: what of a growing body it may hand out, before and after it has told a length. Nobody runs the fetch, the
/// test brings its body.
/// </summary>
public sealed class FetchFollowerTests(SliceStore store) : IClassFixture<SliceStore>, IAsyncLifetime
{
    private const int Length = 300_000;
    private static int s_seed = 700;
    private readonly SyntheticObject _item = new(Length, Interlocked.Increment(ref s_seed));
    private readonly byte[] _buffer = new byte[Length];
    private FetchBench _bench = null!;
    private InFlightFetch _fetch = null!;
    private FetchFollower _follower = null!;
    private bool _isHeld = true;

    private GrowingObject Body => _fetch.Body;

    public Task InitializeAsync()
    {
        _bench = new FetchBench(store.Store, stratum1s: 0);
        _fetch = _bench.NewFetch(FetchBench.OrderOf(_item));
        _follower = _fetch.TryJoin(_fetch.Order, isLeader: true)!;
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _follower.DisposeAsync();
        if (_isHeld)
        {
            await Body.ReleaseHoldAsync();
        }

        await _bench.DisposeAsync();
    }

    [Fact]
    public async Task Look_WithoutAPromise_IsByWhatIsReleased()
    {
        Assert.True(_follower.IsLeader);
        Assert.Equal((true, null, null, false), (_follower.IsUndecided, _follower.Length, _follower.Look(0), _follower.IsVerified));
        await AppendAsync();
        Body.DeclareLength(Length);
        Assert.Null(_follower.Look(0)); // it is here, but nobody's
        Body.Release(100);

        Assert.Equal((false, (long?)Length), (_follower.IsUndecided, _follower.Length));
        Assert.Equal((FollowState.Readable, FollowState.Readable, null), (_follower.Look(0), _follower.Look(99), _follower.Look(100)));
        Assert.Equal(100, await ReadFromAsync(0));
        Verify();

        Assert.Equal((FollowState.Readable, FollowState.Ended), (_follower.Look(Length - 1), _follower.Look(Length)));
        Assert.True(_follower.IsVerified);
        Assert.Equal(Length - 100, await ReadFromAsync(100));
    }

    /// <summary>Who asks for it in too many ways starts a fetch of its own, and holds nothing of this one.</summary>
    [Fact]
    public async Task TryJoin_InMoreWaysThanAreAsked_IsNoneAndHoldsNothing()
    {
        InFlightFetch fetch = _bench.NewFetch(FetchBench.OrderOf(_item));
        List<FetchFollower?> followers = [];
        for (int i = 1; i < FetchWays.MaxWays; i++)
        {
            followers.Add(fetch.TryJoin(FetchBench.OrderOf(_item, $"r{i}.example.org"), isLeader: false));
        }

        Assert.DoesNotContain(null, followers);
        Assert.Null(fetch.TryJoin(FetchBench.OrderOf(_item, "more.example.org"), isLeader: false));
        Assert.Equal(followers.Count, fetch.Followers);
        foreach (FetchFollower? follower in followers)
        {
            await follower!.DisposeAsync();
        }

        await fetch.Body.ReleaseHoldAsync();
        Assert.Null(fetch.Body.TryOpenReader()); // nobody holds its bytes, and they are gone
    }

    /// <summary>What was promised is complete only when all of it is known to be right.</summary>
    [Fact]
    public async Task Look_AfterAPromise_KeepsTheLastByteUntilAllIsRight()
    {
        await AppendAsync();
        Body.DeclareLength(Length);
        Assert.Equal(Length, _follower.PromiseLength());
        Body.Release(Length);
        Assert.Equal((FollowState.Readable, null), (_follower.Look(Length - 2), _follower.Look(Length - 1)));
        Assert.Equal(Length - 1, await ReadFromAsync(0));
        Assert.False(_follower.TryGetMapped(Length - 1, out _, out _));
        Task change = _follower.Change(Length - 1);
        Assert.False(change.IsCompleted); // though more than that is released
        Assert.True(_follower.Change(Length - 2).IsCompleted);
        Verify();

        await change.InTimeAsync();
        Assert.Equal(FollowState.Readable, _follower.Look(Length - 1));
        Assert.Equal(1, await ReadFromAsync(Length - 1));
    }

    [Fact]
    public async Task TryGetMapped_OfWhatIsReleased_IsNoMoreThanMayBeHandedOut()
    {
        await AppendAsync();
        _follower.PromiseLength(200_000);
        Body.Release(100);
        Assert.True(_follower.TryGetMapped(40, out MappedRun run, out IDisposable? hold));
        hold?.Dispose();
        Assert.Equal(60, run.Length);
        Body.Release(Length);

        long mapped = 0;
        while (_follower.TryGetMapped(mapped, out run, out hold))
        {
            Assert.InRange(run.Length, 1, 200_000);
            mapped += run.Length;
            hold?.Dispose();
        }

        Assert.Equal(199_999, mapped);
    }

    /// <summary>Another length than the head has told cannot be healed.</summary>
    [Theory]
    [InlineData(Length - 1)]
    [InlineData(Length + 1)]
    public async Task Look_AfterAWrongPromise_EndsTheAnswerBeforeItIsWhole(long promised)
    {
        _follower.PromiseLength(promised);
        await AppendAsync();
        Body.Release(Length);
        long most = Math.Min(promised - 1, Length);
        Assert.Equal(most, await ReadFromAsync(0));
        Verify();

        Assert.Throws<IOException>(() => _follower.Look(most));
    }

    /// <summary>A way's failure is of those who came by it; who has an answer under way hopes for the other ways.</summary>
    [Theory]
    [InlineData(false, false, true)]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    public async Task Failure_OfTheWay_EndsWhoeverHasNothingYet(bool hasRead, bool hasPromised, bool isFailed)
    {
        await AppendAsync();
        var way = new FetchWay(_fetch.Order);
        await using GrowingReader reader = Body.TryOpenReader()!;
        var follower = new FetchFollower(_fetch, way, reader, isLeader: false);
        Assert.Equal((false, null), (follower.IsLeader, follower.Failure));
        if (hasRead)
        {
            follower.MoveTo(10);
        }
        else if (hasPromised)
        {
            follower.PromiseLength(Length);
        }

        way.Failure = new UpstreamFailure(FailureKind.NotFound, "nobody has it");

        Assert.Equal(isFailed ? way.Failure : null, follower.Failure);
        Assert.Equal(isFailed ? FollowState.Failed : null, follower.Look(10));
        Assert.Equal((isFailed, !isFailed), (follower.Change(10).IsCompleted, follower.IsUndecided));
        Assert.Null(_follower.Failure);
        EndAsStored();
        Assert.Equal(FailureKind.NotFound, follower.Failure!.Kind);
        Assert.Equal(FollowState.Failed, follower.Look(10));
    }

    [Fact]
    public async Task Failure_OfTheFetch_IsEverybodys()
    {
        await AppendAsync();
        FetchFollower other = _fetch.TryJoin(FetchBench.OrderOf(_item, "other.example.org"), isLeader: false)!;
        Body.Release(10);
        Assert.Equal(10, await ReadFromAsync(0));
        Task change = _follower.Change(10);
        Assert.Equal((true, false), (_fetch.IsOpen, change.IsCompleted));

        EndAsStored();

        await change.InTimeAsync();
        Assert.Equal((FailureKind.AlreadyStored, FailureKind.AlreadyStored), (_follower.Failure!.Kind, other.Failure!.Kind));
        Assert.Equal((FollowState.Failed, FollowState.Readable), (_follower.Look(10), other.Look(0)));
        Assert.False(await _follower.WaitVerifiedAsync(10, default).InTimeAsync());
        Assert.Equal((false, 2), (_fetch.IsOpen, _fetch.Followers));
        await other.DisposeAsync();
        Assert.Equal(1, _fetch.Followers);
    }

    [Fact]
    public async Task WaitVerified_OfWhatWasRead_IsWhenAllIsRight()
    {
        await AppendAsync();
        Body.Release(10);
        await ReadFromAsync(0);
        Task<bool> verified = _follower.WaitVerifiedAsync(10, default).AsTask();
        Body.Release(20);
        Assert.False(verified.IsCompleted);
        Verify();

        Assert.True(await verified.InTimeAsync());
    }

    [Fact]
    public async Task TryRewind_AfterASkip_ReadsFromTheBeginning()
    {
        await AppendAsync();
        _follower.SkipTo(1000);
        Assert.True(_follower.TryRewind());
        Verify();

        Assert.Equal(Length, await ReadFromAsync(0));
        Assert.Equal(1, _fetch.Followers);
    }

    /// <summary>Another node judges by itself: it has all but the end at once.</summary>
    [Fact]
    public async Task ForNode_WhatIsHere_GoesOutButForItsEnd()
    {
        await AppendAsync();
        _fetch.Tick();
        Assert.Equal(0, Body.Released);

        _follower.ForNode();

        Assert.Equal(Length - ReleasePolicy.HeldBackBytes, Body.Released);
    }

    private void EndAsStored()
    {
        _isHeld = false;
        _fetch.EndAsStored();
    }

    private void Verify() => Assert.True(_bench.Services.Bodies.TryVerify(Body, _fetch.Order, () => { }));

    private Task AppendAsync() => Body.AppendAsync(_item.Bytes, default).AsTask();

    /// <summary>Reads what may be read from there on, which must be right. Returns how much that is.</summary>
    private async Task<long> ReadFromAsync(long from)
    {
        long offset = from;
        while (await _follower.ReadAsync(offset, _buffer, default).InTimeAsync() is > 0 and var read)
        {
            Assert.True(_item.Bytes.AsSpan((int)offset, read).SequenceEqual(_buffer.AsSpan(0, read)));
            offset += read;
        }

        return offset - from;
    }
}

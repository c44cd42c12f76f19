using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Tests.Exchanges;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Fetching;

/// <summary>A fetch from its first request to its end: who is asked, for whom, and when it is given up.</summary>
public sealed class FetchFlowTests(SliceStore store) : IClassFixture<SliceStore>
{
    private const string Other = "other.example.org";
    private static int s_seed = 900;

    private readonly SyntheticObject _item = new(300_000, Interlocked.Increment(ref s_seed));

    /// <summary>As long as it waits in line it costs nobody anything.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Fetch_ThatWaitsInLine_IsGivenUpWhenTheLastHasLeft(bool isLast)
    {
        await using FetchBench bench = Bench(places: 1);
        var place = new FetchPlace(FetchPriority.Demand);
        Assert.True(bench.Queue.TryEnter(place));
        FetchFollower leader = Join(bench);
        FetchFollower follower = Join(bench);
        Assert.Equal((true, false, 2), (leader.IsLeader, follower.IsLeader, Assert.Single(bench.Fetches.InFlight).Followers));
        await Waiting.UntilAsync(() => bench.Queue.Load == (1, 1));
        await leader.DisposeAsync();
        if (isLast)
        {
            await follower.DisposeAsync();
            await Waiting.UntilAsync(() => bench.Fetches.InFlight.Count == 0);
            Assert.Equal((1, 0), bench.Queue.Load);
            Assert.Equal(FailureKind.Broken, follower.Failure!.Kind);
        }

        bench.Queue.Leave(place);
        if (!isLast)
        {
            Assert.Equal(_item.Bytes, await FetchBench.ReadAllAsync(follower));
            await follower.DisposeAsync();
        }

        await bench.AtRestAsync();
        Assert.Equal(isLast ? 0 : 1, bench.Stratum1s[0].RequestCount(_item.Path));
    }

    /// <summary>A small object is fetched to its end, since it is stored.</summary>
    [Fact]
    public async Task Fetch_ThatHasBegun_ComesToItsEndForTheStore()
    {
        await using FetchBench bench = Bench();
        var gate = new Gate();
        bench.Stratum1s[0].Script(_item.Path, UpstreamBehaviour.WaitsAt(1000, gate));
        FetchFollower leader = Join(bench);
        await gate.Reached;
        await leader.DisposeAsync();
        gate.Open();

        await Waiting.UntilAsync(() => bench.Fetches.InFlight.Count == 0);
        Assert.True(bench.Store.Contains(_item.Key));
        Assert.Equal([_item.Key], bench.Verified);
        FetchTicket stored = bench.Fetches.JoinOrStart(FetchBench.OrderOf(_item));
        Assert.NotNull(stored.Lease);
        stored.Lease.Dispose();
        Assert.Equal((null, null, 0), (stored.Follower, stored.Failure, bench.Fetches.InFlight.Count));
    }

    /// <summary>
    /// What one repository lacks another may have. It is asked with the place that the fetch has, and only as long as somebody waits.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnotherWay_WhenTheFirstHasFailed_IsAskedIfSomebodyWaitsForIt(bool isWaitedFor)
    {
        await using FetchBench bench = Bench(places: 1);
        string path = $"/cvmfs/{Other}/{_item.Key.ToPath()}";
        bench.Stratum1s[0].Put(path, _item.Bytes);
        Gate gate = new(), otherGate = new();
        bench.Stratum1s[0].Script(_item.Path, new UpstreamBehaviour { Status = 404, HeadGate = gate });
        bench.Stratum1s[0].Script(path, UpstreamBehaviour.WaitsBeforeHead(otherGate)); // what comes that way is the first's as well
        FetchFollower first = Join(bench);
        await gate.Reached;
        FetchFollower other = Join(bench, Other);
        Assert.False(other.IsLeader);
        if (!isWaitedFor)
        {
            await other.DisposeAsync();
        }

        gate.Open();

        Assert.Equal(FollowState.Failed, await first.WaitAsync(0, default).InTimeAsync());
        Assert.Equal(FailureKind.NotFound, first.Failure!.Kind);
        Assert.Equal(FailureKind.NotFound, bench.Fetches.JoinOrStart(FetchBench.OrderOf(_item)).Failure!.Kind); // remembered
        otherGate.Open();
        if (isWaitedFor)
        {
            Assert.Equal(_item.Bytes, await FetchBench.ReadAllAsync(other));
            await other.DisposeAsync();
        }

        await first.DisposeAsync();
        await bench.AtRestAsync();
        Assert.Equal((1, isWaitedFor ? 1 : 0), (bench.Stratum1s[0].RequestCount(_item.Path), bench.Stratum1s[0].RequestCount(path)));
    }

    /// <summary>Who came is looked at once, not again and again as long as the first is silent.</summary>
    [Fact]
    public async Task AnotherWay_WhileTheFirstIsSilent_WakesTheFetchOnce()
    {
        await using FetchBench bench = Bench();
        var gate = new Gate();
        bench.Stratum1s[0].Script(_item.Path, UpstreamBehaviour.WaitsBeforeHead(gate));
        FetchFollower first = Join(bench);
        await gate.Reached;
        FetchFollower other = Join(bench, Other);
        SyntheticObject another = new SyntheticObject(1000, Interlocked.Increment(ref s_seed)).On(bench.Stratum1s[0]);
        FetchFollower meanwhile = bench.Fetches.JoinOrStart(FetchBench.OrderOf(another)).Follower!;
        long looks = bench.Time.Looks;
        Assert.Equal(another.Bytes, await FetchBench.ReadAllAsync(meanwhile));
        Assert.InRange(bench.Time.Looks - looks, 0, 500);
        gate.Open();

        foreach (FetchFollower follower in (FetchFollower[])[first, other])
        {
            Assert.Equal(_item.Bytes, await FetchBench.ReadAllAsync(follower));
            await follower.DisposeAsync();
        }

        await meanwhile.DisposeAsync();
        await bench.AtRestAsync();
    }

    /// <summary>What a node has begun counts no more once a Stratum 1 is to be asked: in that line nobody waits for nobody.</summary>
    [Fact]
    public async Task Fetch_WhoseNodeBrokeOff_WaitsInLineOnlyAsLongAsSomebodyWaits()
    {
        await using var node = new OneNode();
        await using var bench = new FetchBench(store.Store, places: 1, nodes: node);
        _item.On(node.Server, bench.Stratum1s[0]);
        node.Server.Script(_item.Path, UpstreamBehaviour.TruncatesAt(50_000));
        var place = new FetchPlace(FetchPriority.Demand);
        Assert.True(bench.Queue.TryEnter(place));
        FetchFollower follower = Join(bench);
        await Waiting.UntilAsync(() => bench.Queue.Load == (1, 1));
        Assert.InRange(node.Server.RequestCount(_item.Path), 1, 2);
        Assert.True(follower.Length == _item.Bytes.Length);

        await follower.DisposeAsync();

        await Waiting.UntilAsync(() => bench.Fetches.InFlight.Count == 0);
        bench.Queue.Leave(place);
        Assert.Equal(0, bench.Stratum1s[0].RequestCount(_item.Path));
    }

    /// <summary>
    /// When a first piece must go out, would there be none? 64 KiB are held back: of what has come in a second, and comes at that pace in
    /// the 2.75 s that are left of 3.75 s, there must be more.
    /// </summary>
    [Theory]
    [InlineData(17_476, true)]
    [InlineData(17_477, false)]
    public async Task Transfer_AtAGlance_IsLeftWhenNothingWouldGoOutInTime(int comesInASecond, bool isLeft)
    {
        await using FetchBench bench = Bench(stratum1s: 2);
        var gate = new Gate();
        bench.Stratum1s[0].Script(_item.Path, UpstreamBehaviour.WaitsAt(comesInASecond, gate));
        FetchFollower follower = Join(bench);
        InFlightFetch fetch = Assert.Single(bench.Fetches.InFlight);
        await Waiting.UntilAsync(() => fetch.Body.Appended == comesInASecond);
        for (int tick = 0; tick < 5; tick++)
        {
            Assert.Equal(0, bench.Stratum1s[1].RequestCount(_item.Path));
            bench.Time.Advance(TimeSpan.FromMilliseconds(200));
        }

        if (!isLeft)
        {
            gate.Open();
        }

        Assert.Equal(_item.Bytes, await FetchBench.ReadAllAsync(follower));
        await follower.DisposeAsync();
        await bench.AtRestAsync();
        Assert.Equal((1, isLeft ? 1 : 0), (bench.Stratum1s[0].RequestCount(_item.Path), bench.Stratum1s[1].RequestCount(_item.Path)));
    }

    /// <summary>Who was silent for as long as one waits for a first byte is not waited for any more once another has answered.</summary>
    [Fact]
    public async Task Stratum1_ThatIsSilent_IsCalledOffWhenAnotherHasAnswered()
    {
        await using FetchBench bench = Bench(stratum1s: 2);
        var gate = new Gate();
        bench.Stratum1s[0].Script(_item.Path, UpstreamBehaviour.WaitsBeforeHead(gate));
        FetchFollower follower = Join(bench);
        await gate.Reached;
        Task<byte[]> all = FetchBench.ReadAllAsync(follower);
        await Waiting.UntilAsync(() =>
        {
            bench.Time.Advance(TimeSpan.FromMilliseconds(100));
            return bench.Stratum1s[1].RequestCount(_item.Path) == 1;
        });

        Assert.Equal(_item.Bytes, await all);
        Assert.Equal(UpstreamAnswerEnd.ClientGone, await Assert.Single(bench.Stratum1s[0].Requests).Ended);
        await follower.DisposeAsync();
        await bench.AtRestAsync();
    }

    /// <summary>Whoever waits for a Stratum 1 waits for no node, and no object is asked of Stratum 1s twice at a time.</summary>
    [Fact]
    public async Task Fetches_ForTheSiteAndForAnotherNode_MeetAtTheStratum1s()
    {
        await using var node = new OneNode();
        await using var bench = new FetchBench(store.Store, nodes: node);
        _item.On(node.Server, bench.Stratum1s[0]);
        var (ofNode, ofStratum1) = (new Gate(), new Gate());
        node.Server.Script(_item.Path, UpstreamBehaviour.WaitsBeforeHead(ofNode));
        bench.Stratum1s[0].Script(_item.Path, UpstreamBehaviour.WaitsBeforeHead(ofStratum1));
        FetchOrder upstream = FetchBench.OrderOf(_item) with { Scope = FetchScope.Upstream };
        FetchFollower site = Join(bench);
        await ofNode.Reached;
        InFlightFetch first = Assert.Single(bench.Fetches.InFlight);
        Assert.Null(bench.Fetches.TryJoinUpstream(upstream)); // it may be that node which asks
        FetchFollower forNode = bench.Fetches.JoinOrStart(upstream).Follower!;
        await ofStratum1.Reached;

        Assert.Equal((true, 2), (forNode.IsLeader, bench.Fetches.InFlight.Count));
        FetchFollower late = Join(bench);
        Assert.False(late.IsLeader);
        FetchFollower another = bench.Fetches.TryJoinUpstream(upstream)!;
        Assert.Equal([1, 3], bench.Fetches.InFlight.Select(fetch => fetch.Followers).Order());
        Assert.False(bench.Fetches.TryTurnUpstream(first));
        ofStratum1.Open();

        foreach (FetchFollower follower in (FetchFollower[])[forNode, late, another])
        {
            Assert.Equal(_item.Bytes, await FetchBench.ReadAllAsync(follower));
            await follower.DisposeAsync();
        }

        await Waiting.UntilAsync(() => bench.Fetches.InFlight.Count == 1);
        Assert.False(bench.Fetches.TryTurnUpstream(first)); // it is stored
        ofNode.Open();
        Assert.Equal(_item.Bytes, await FetchBench.ReadAllAsync(site));
        await site.DisposeAsync();
        await bench.AtRestAsync();
    }

    /// <summary>Where all are slow, because the line is, each change costs: a fetch leaves one of them for it, and no other.</summary>
    [Fact]
    public async Task Fetch_WhoseSecondStratum1IsSlowToo_StaysWithIt()
    {
        await using FetchBench bench = Bench(stratum1s: 3);
        var gate = new Gate();
        bench.Stratum1s[0].Script(_item.Path, UpstreamBehaviour.StallsAt(5000));
        bench.Stratum1s[1].Script(_item.Path, UpstreamBehaviour.WaitsAt(5000, gate)); // of what is left
        FetchFollower follower = Join(bench);
        InFlightFetch fetch = Assert.Single(bench.Fetches.InFlight);
        foreach (int came in (int[])[5000, 10_000])
        {
            await Waiting.UntilAsync(() => fetch.Body.Appended == came);
            for (int tick = 0; tick < 5; tick++)
            {
                bench.Time.Advance(TimeSpan.FromMilliseconds(200));
            }
        }

        gate.Open();

        Assert.Equal(_item.Bytes, await FetchBench.ReadAllAsync(follower));
        await follower.DisposeAsync();
        await bench.AtRestAsync();
        Assert.Equal([1, 1, 0], bench.Stratum1s.Select(stratum1 => stratum1.RequestCount(_item.Path)));
    }

    private FetchBench Bench(int stratum1s = 1, int places = 8)
    {
        var bench = new FetchBench(store.Store, stratum1s, places);
        _item.On([.. bench.Stratum1s]);
        return bench;
    }

    private FetchFollower Join(FetchBench bench, string? fqrn = null) =>
        bench.Fetches.JoinOrStart(FetchBench.OrderOf(_item, fqrn)).Follower!;
}

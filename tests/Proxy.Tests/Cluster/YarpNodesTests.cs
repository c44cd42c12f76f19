using System.Security.Cryptography;
using Breakwater.CacheStore;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Cluster;

/// <summary>Whom a node asks before a Stratum 1, and what it makes of how they answer.</summary>
public sealed class YarpNodesTests : IDisposable
{
    private readonly TestSite _site = new();

    public void Dispose() => _site.Dispose();

    [Theory]
    [InlineData(1, 10, 10)]
    [InlineData(2, 10, 5)]
    [InlineData(2, 11, 6)]
    [InlineData(3, 10, 4)]
    [InlineData(3, 9, 3)]
    [InlineData(3, 1, 1)]
    public void ShareOf_WhatTheSiteMayHave_IsByLiveNodesRoundedUp(int nodes, int limit, int share)
    {
        _site.See([.. ((string[])["self", "b", "c"]).Take(nodes).Select(id => _site.Node(id)), _site.Node("d", NodeStanding.Dead)]);

        Assert.Equal(share, _site.Nodes.ShareOf(limit));
    }

    [Fact]
    public void ShareOf_NobodyInTheRing_IsAll()
    {
        _site.Self.Leave();

        Assert.Equal(10, _site.Nodes.ShareOf(10));
    }

    [Fact]
    public void Before_Name_IsItsOwnerThenTheSecondAndNobodyBehindThisNode()
    {
        _site.See(_site.Node("self"), _site.Node("b"), _site.Node("c"), _site.Node("x", NodeStanding.Leaving));
        Ring ring = TestSite.RingOf("self", "b", "c");

        Assert.Empty(Before(TestSite.NameOwnedBy(ring, "self")));
        Assert.Equal(["b"], Before(TestSite.NameOwnedBy(ring, "b", "self")));
        Assert.Equal(["b", "c"], Before(TestSite.NameOwnedBy(ring, "b", "c")));

        _site.Strikes.Refused("b");
        Assert.Equal(["c"], Before(TestSite.NameOwnedBy(ring, "b", "c")));
        Assert.Empty(Before(TestSite.NameOwnedBy(ring, "b", "self")));
    }

    [Fact]
    public void Before_Alone_IsNobody()
    {
        _site.See(_site.Node("self"));

        Assert.Empty(_site.Nodes.Before("r.example.org"));
        Assert.Empty(_site.Nodes.Holders(Key(0)));
    }

    [Fact]
    public void Holders_OfWhatThisNodeOwns_IsWhoOwnedItBeforeForAnHour()
    {
        _site.See(_site.Node("self"), _site.Node("b"), _site.Node("c"));
        Ring ring = TestSite.RingOf("self", "b", "c");
        ObjectKey own = Key(key => ring.FirstTwo(Ring.KeyOf(key)).Owner!.Id == "self");
        string second = ring.FirstTwo(Ring.KeyOf(own)).Second!.Id;

        _site.Time.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        Assert.Equal([second], Holders(own));
        _site.See(_site.Node("self"), _site.Node("b"), _site.Node("c"));
        _site.Time.Advance(TimeSpan.FromTicks(1));
        Assert.Empty(Holders(own));

        _site.See(_site.Node("self"), _site.Node("b"));
        Assert.Equal(["b"], Holders(own));
    }

    [Fact]
    public void Holders_OfAnothers_IsItsOwnerUntilAllHaveSeenTheChange()
    {
        _site.See(_site.Node("self"), _site.Node("b"), _site.Node("c"));
        Ring ring = TestSite.RingOf("self", "b", "c");
        ObjectKey others = Key(key => ring.FirstTwo(Ring.KeyOf(key)).Owner!.Id == "b");

        _site.Time.Advance((2 * _site.Options.ProbeInterval) - TimeSpan.FromTicks(1));
        Assert.Equal(["b"], Holders(others));
        _site.Time.Advance(TimeSpan.FromTicks(1));
        Assert.Empty(Holders(others));
    }

    [Fact]
    public void Holders_Offline_AreAllWhoAnswer()
    {
        using var site = new TestSite(isOffline: true);
        site.See(site.Node("self"), site.Node("b"), site.Node("c"), site.Node("d"), site.Node("e", NodeStanding.Dead));
        site.Strikes.Refused("c");
        site.Time.Advance(TimeSpan.FromDays(1));
        site.Strikes.Refused("d");

        Assert.Equal(["b", "c"], site.Nodes.Holders(Key(0)).Select(IdOf).Order());
    }

    [Theory]
    [InlineData(FailureKind.NotFound, 3, false, 0)]
    [InlineData(FailureKind.Refused, 3, false, 0)]
    [InlineData(FailureKind.Connect, 1, true, 1)]
    [InlineData(FailureKind.Lookup, 1, true, 1)]
    [InlineData(FailureKind.Timeout, 2, false, 2)]
    [InlineData(FailureKind.Timeout, 3, true, 3)]
    [InlineData(FailureKind.WrongBytes, 3, true, 3)]
    public void NoteFailure_OfItsKind_IsAStrikeOrNone(object kind, int times, bool isSkipped, long strikes)
    {
        _site.See(_site.Node("self"), _site.Node("b"));
        for (int i = 0; i < times; i++)
        {
            _site.Nodes.NoteFailure(_site.Nodes.View.Others["b"], (FailureKind)kind);
        }

        Assert.Equal((isSkipped, strikes), (_site.Nodes.IsSkipped("b"), _site.Strikes.Total));
    }

    [Fact]
    public void NoteAnswer_OfASkippedNode_TakesItBack()
    {
        _site.See(_site.Node("self"), _site.Node("b"));
        Stratum1 node = _site.Nodes.View.Others["b"];
        _site.Nodes.NoteFailure(node, FailureKind.Connect);
        Stratum1 stranger = _site.Node("z").Server;
        _site.Nodes.NoteFailure(stranger, FailureKind.Connect);
        _site.Nodes.NoteAnswer(stranger);
        Assert.True(_site.Nodes.IsSkipped("b"));
        Assert.Equal(1, _site.Strikes.Total);

        _site.Nodes.NoteAnswer(node);

        Assert.False(_site.Nodes.IsSkipped("b"));
    }

    [Fact]
    public void Summary_ForPeople_SaysWhoIsAmissAndWhatWasBorrowed()
    {
        _site.See(_site.Node("self"), _site.Node("b"));
        _site.Strikes.Refused("self");
        Assert.Equal(
            "self of 2 nodes, 2 in the ring; 0 objects from other nodes, 0 moved here, 0 requests served for them", _site.Nodes.Summary);

        _site.See(_site.Node("self"), _site.Node("b"), _site.Node("c", NodeStanding.Dead),
            _site.Node("d", NodeStanding.NotSeenYet) with { Announcement = null });
        _site.Strikes.Refused("b");
        for (int i = 0; i < 1234; i++)
        {
            _site.Nodes.NoteBorrowed(_site.Nodes.View.Others["b"], bytes: 3, isMoved: i % 617 == 0);
        }

        _site.Counters.Served("b", "hit");
        _site.Nodes.NoteHedge();

        Assert.Equal(
            "self of 4 nodes, 2 in the ring (b skipped, c Dead, d.example.org:3129 NotSeenYet); 1,234 objects from other nodes, "
            + "2 moved here, 1 requests served for them",
            _site.Nodes.Summary);
        Assert.Equal((1234L, 3702L, 2L, 1L, 1L, 0L), _site.Counters.Totals);
    }

    [Fact]
    public void Sign_OfARequest_SaysWhoAsks()
    {
        using var request = new HttpRequestMessage();
        _site.Nodes.Sign(request);

        Assert.Equal("id=self;site=here", Assert.Single(request.Headers.GetValues(NodeAnnouncement.Field)));
    }

    [Fact]
    public async Task FirstRound_IsOverWithTheFirstProbes()
    {
        Assert.False(_site.Nodes.FirstRound.IsCompleted);

        _site.See(_site.Node("self"));

        await _site.Nodes.FirstRound.InTimeAsync();
    }

    [Fact]
    public void Ring_OfThisNode_LosesAndHasItAtOnceByAnOperatorsWordAndAtTheEnd()
    {
        _site.See(_site.Node("self"), _site.Node("b"));
        Assert.Equal(["b", "self"], Members());

        _site.Self.Leave();
        Assert.Equal((false, "b"), (_site.Self.IsMember, string.Join(' ', Members())));
        _site.Self.Join();
        Assert.Equal((true, "b self"), (_site.Self.IsMember, string.Join(' ', Members())));
        _site.Drain.Begin();
        Assert.Equal((false, "b"), (_site.Self.IsMember, string.Join(' ', Members())));

        IEnumerable<string> Members() => _site.Nodes.View.Ring.Members.Select(member => member.Id);
    }

    private static ObjectKey Key(int number) =>
        new(SHA1.HashData(BitConverter.GetBytes(number)), DigestAlgorithm.Sha1, ObjectKind.Plain);

    private static ObjectKey Key(Predicate<ObjectKey> isWanted) =>
        Enumerable.Range(0, int.MaxValue).Select(i => Key(i)).First(key => isWanted(key));

    private static string IdOf(Stratum1 node) => node.Authority.Split('.')[0];

    private IEnumerable<string> Before(string name) => _site.Nodes.Before(name).Select(IdOf);

    private IEnumerable<string> Holders(ObjectKey key) => _site.Nodes.Holders(key).Select(IdOf);
}

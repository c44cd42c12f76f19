using Breakwater.Proxy.Cluster;

namespace Breakwater.Proxy.Tests.Cluster;

public sealed class RingTests
{
    private const int Keys = 60_000;

    [Theory]
    [InlineData(3)]
    [InlineData(10)]
    public void Owner_OneJoins_ItsShareMovesAndNothingElse(int nodes)
    {
        var before = new Ring(Members(nodes));
        var after = new Ring(Members(nodes + 1));

        int moved = 0;
        foreach (ulong key in RandomKeys())
        {
            string owner = after.Owner(key)!.Id;
            if (owner != before.Owner(key)!.Id)
            {
                Assert.Equal($"node{nodes}", owner);
                moved++;
            }
        }

        Assert.InRange(moved, 0.9 * Keys / (nodes + 1), 1.1 * Keys / (nodes + 1));
    }

    [Fact]
    public void Owner_AnyOrderOfMembers_IsTheSame()
    {
        var one = new Ring(Members(7));
        var other = new Ring(Members(7).Reverse());

        Assert.All(RandomKeys().Take(1000), key => Assert.Equal(one.FirstTwo(key), other.FirstTwo(key)));
    }

    [Fact]
    public void Owner_Weights_ShareInProportion()
    {
        var ring = new Ring([new("a", 1), new("b", 3)]);

        int ofB = RandomKeys().Count(key => ring.Owner(key)!.Id == "b");

        Assert.InRange(ofB, 0.74 * Keys, 0.76 * Keys);
    }

    [Fact]
    public void Owner_EqualWeightsOfAnySize_AreAsWithoutWeights()
    {
        var plain = new Ring(Members(5));
        var heavy = new Ring(Members(5).Select(m => m with { Weight = 7 }));

        Assert.All(RandomKeys().Take(1000), key => Assert.Equal(plain.Owner(key)!.Id, heavy.Owner(key)!.Id));
    }

    [Fact]
    public void FirstTwo_OwnerSkipped_SecondBecomesOwner()
    {
        var ring = new Ring(Members(6));
        foreach (ulong key in RandomKeys().Take(1000))
        {
            (RingMember? owner, RingMember? second) = ring.FirstTwo(key);
            Assert.Same(second, ring.FirstTwo(key, m => m == owner).Owner);
        }
    }

    [Fact]
    public void FirstTwo_OneMember_OwnsAll()
    {
        var ring = new Ring([new("a", 3)]);

        Assert.Equal((new RingMember("a", 3), null), ring.FirstTwo(1));
        Assert.Equal((null, null), ring.FirstTwo(1, _ => true));
    }

    [Fact]
    public void Members_OfOneId_AreTheFirstOfThemInTheOrderOfIds() => Assert.Equal(
        [new RingMember("a", 2), new RingMember("b", 1)], new Ring([new("b", 1), new("a", 2), new("b", 9)]).Members);

    [Fact]
    public void FirstTwo_NoMembers_IsNobody() => Assert.Equal((null, null), new Ring([]).FirstTwo(1));

    [Fact]
    public void Candidates_EveryNode_AsksNobodyBehindItself()
    {
        var ring = new Ring(Members(4));
        foreach (ulong key in RandomKeys().Take(1000))
        {
            (RingMember? owner, RingMember? second) = ring.FirstTwo(key);
            Assert.Equal((null, null), NodeCandidates.Before(ring, key, owner!.Id, _ => false));
            Assert.Equal((owner, null), NodeCandidates.Before(ring, key, second!.Id, _ => false));
            Assert.Equal((null, null), NodeCandidates.Before(ring, key, second.Id, id => id == owner.Id));
            Assert.Equal(second, NodeCandidates.Holder(ring, key, owner.Id, isSettled: true, _ => false));
            Assert.Null(NodeCandidates.Holder(ring, key, second.Id, isSettled: true, _ => false));
            Assert.Equal(second, NodeCandidates.Holder(ring, key, owner.Id, isSettled: false, _ => false));
            Assert.Equal(owner, NodeCandidates.Holder(ring, key, second.Id, isSettled: false, _ => false));
            Assert.Equal(second, NodeCandidates.Holder(ring, key, owner.Id, isSettled: true, id => id == owner.Id)); // itself is never out
            Assert.NotEqual(second, NodeCandidates.Holder(ring, key, owner.Id, isSettled: true, id => id == second.Id));
            string third = ring.Members.First(m => m != owner && m != second).Id;
            Assert.Equal((owner, second), NodeCandidates.Before(ring, key, third, _ => false));
        }
    }

    private static IEnumerable<RingMember> Members(int count) => Enumerable.Range(0, count).Select(i => new RingMember($"node{i}"));

    private static IEnumerable<ulong> RandomKeys()
    {
        var random = new Random(17);
        for (int i = 0; i < Keys; i++)
        {
            yield return (ulong)random.NextInt64(long.MinValue, long.MaxValue);
        }
    }
}

using System.Net;
using Breakwater.Proxy.Fetching;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Fetching;

/// <summary>On whose account a place goes when others join, and how many places there are for whom.</summary>
public sealed class FetchQueueAccountTests
{
    private static readonly IPAddress s_first = IPAddress.Parse("10.0.0.1");
    private static readonly IPAddress s_other = IPAddress.Parse("10.0.0.2");

    private readonly FetchQueue _queue = new(1, 1);
    private readonly FetchPlace _running = new(FetchPriority.Demand);

    public FetchQueueAccountTests() => Assert.True(_queue.TryEnter(_running));

    /// <summary>The place itself does not count: who waits for nothing else is no greedier than who comes.</summary>
    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(1, 0, true)]
    [InlineData(1, 1, false)]
    [InlineData(2, 1, true)]
    [InlineData(1, 2, false)]
    public void Promote_APlaceThatWaits_GoesToWhomWaitsForLess(int others, int ofTheOther, bool moves)
    {
        var place = Wait(FetchPriority.Demand, s_first);
        Waits(others, ofTheOther);

        _queue.Promote(place, FetchPriority.Demand, s_other);

        Assert.Equal(moves ? s_other : s_first, place.Client);
        Assert.Equal((1, 1 + others + ofTheOther), _queue.Load);
    }

    /// <summary>What has yet to enter stands in no line.</summary>
    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(1, 0, true)]
    [InlineData(1, 1, false)]
    [InlineData(2, 1, true)]
    public void Promote_APlaceThatHasYetToEnter_GoesToWhomWaitsForLess(int others, int ofTheOther, bool moves)
    {
        var place = new FetchPlace(FetchPriority.Demand, s_first);
        Waits(others, ofTheOther);

        _queue.Promote(place, FetchPriority.Demand, s_other);

        Assert.Equal(moves ? s_other : s_first, place.Client);
        Assert.Equal((1, others + ofTheOther), _queue.Load);
    }

    [Fact]
    public void Promote_ByOneForWhomMuchIsUnderWay_StaysWhereItIs()
    {
        var queue = new FetchQueue(8, 8);
        Assert.All(Enumerable.Range(0, 3), _ => Assert.True(queue.TryEnter(new FetchPlace(FetchPriority.Demand, s_other))));
        var place = new FetchPlace(FetchPriority.Demand, s_first);
        Assert.True(queue.TryEnter(new FetchPlace(FetchPriority.Demand, s_first)));

        queue.Promote(place, FetchPriority.Demand, s_other);
        Assert.Equal(s_first, place.Client);
        queue.Promote(place, FetchPriority.Demand, IPAddress.Parse("10.0.0.3"));
        Assert.Equal(IPAddress.Parse("10.0.0.3"), place.Client);
    }

    [Fact]
    public void Promote_LessUrgentOrUnderWay_ChangesNothing()
    {
        var place = Wait(FetchPriority.Demand, s_first);
        Waits(5, 0);
        _queue.Promote(place, FetchPriority.Prefetch, s_other);
        Assert.Equal((FetchPriority.Demand, s_first), (place.Priority, place.Client));

        var queue = new FetchQueue(8, 8);
        var running = new FetchPlace(FetchPriority.Demand, s_first);
        Assert.All((FetchPlace[])[running, new(FetchPriority.Demand, s_first)], p => Assert.True(queue.TryEnter(p)));
        queue.Promote(running, FetchPriority.Demand, s_other);
        Assert.Equal(s_first, running.Client);
        queue.Promote(running, FetchPriority.Catalog, s_other);
        Assert.Equal((FetchPriority.Catalog, s_other), (running.Priority, running.Client));
        queue.Promote(running, FetchPriority.Catalog);
        Assert.Equal(s_other, running.Client);
        queue.Leave(running);
        Assert.Equal((1, 0), queue.Load);
    }

    [Fact]
    public async Task Promote_MoreUrgent_WaitsInTheOtherLineOnTheNewAccount()
    {
        var place = Wait(FetchPriority.Prefetch, s_first);
        var demand = Wait(FetchPriority.Demand, s_other);

        _queue.Promote(place, FetchPriority.Catalog, s_other);
        _queue.Leave(_running);

        await place.Entered.Task.InTimeAsync();
        Assert.False(demand.Entered.Task.IsCompleted);
        Assert.Equal((FetchPriority.Catalog, s_other), (place.Priority, place.Client));
    }

    /// <summary>One client alone has four fifths; as many as all together leave room for one more.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 4)]
    [InlineData(10, 8)]
    [InlineData(128, 102)]
    public void TryEnter_OfOneClient_LeavesAFifth(int limit, int expected)
    {
        var queue = new FetchQueue(limit, limit);

        Assert.Equal(expected, Enumerable.Range(0, 200).Count(_ => queue.TryEnter(new FetchPlace(FetchPriority.Demand, s_first))));
        Assert.Equal(limit > 1, queue.TryEnter(new FetchPlace(FetchPriority.Demand, s_other)));
    }

    [Fact]
    public void TryEnter_OfTheProxyItself_TakesAllButNoMorePrefetchesThanMayBe()
    {
        var queue = new FetchQueue(8, 3);

        Assert.Equal(3, Enumerable.Range(0, 20).Count(_ => queue.TryEnter(new FetchPlace(FetchPriority.Prefetch))));
        Assert.Equal(5, Enumerable.Range(0, 20).Count(_ => queue.TryEnter(new FetchPlace(FetchPriority.Demand))));
        Assert.Equal((8, 0), queue.Load);
    }

    [Fact]
    public void TryEnter_ShareOfTheSite_BoundsBothLimits()
    {
        var queue = new FetchQueue(8, 4) { ShareOf = static limit => limit / 2 };

        Assert.Equal(2, Enumerable.Range(0, 20).Count(_ => queue.TryEnter(new FetchPlace(FetchPriority.Prefetch))));
        Assert.Equal(2, Enumerable.Range(0, 20).Count(_ => queue.TryEnter(new FetchPlace(FetchPriority.Demand))));
    }

    /// <summary>What was under way of a cluster counts no longer when it has left.</summary>
    [Fact]
    public void Leave_OfACluster_GivesItsShareBack()
    {
        var queue = new FetchQueue(4, 4, "a", "A", "b");
        for (int round = 0; round < 3; round++)
        {
            List<FetchPlace> entered = [];
            for (int i = 0; i < 20; i++)
            {
                var place = new FetchPlace(FetchPriority.Demand, IPAddress.Parse($"10.0.1.{i}"), i % 2 == 0 ? "a" : "A");
                if (queue.TryEnter(place))
                {
                    entered.Add(place);
                }
            }

            Assert.Equal(3, entered.Count);
            entered.ForEach(queue.Leave);
        }

        Assert.Equal((0, 0), queue.Load);
    }

    private void Waits(int ofTheFirst, int ofTheOther)
    {
        for (int i = 0; i < ofTheFirst + ofTheOther; i++)
        {
            Wait(FetchPriority.Demand, i < ofTheFirst ? s_first : s_other);
        }
    }

    private FetchPlace Wait(FetchPriority priority, IPAddress client)
    {
        var place = new FetchPlace(priority, client);
        Assert.False(_queue.EnterAsync(place, default).IsCompleted);
        return place;
    }
}

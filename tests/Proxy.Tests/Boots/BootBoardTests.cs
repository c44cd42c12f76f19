using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Tests.Boots;

public class BootBoardTests
{
    private readonly BootFeed _feed = new();
    private readonly BootBoard _board;

    public BootBoardTests() => _board = new BootBoard(_feed.Boots, _feed.Time);

    [Fact]
    public void Snapshot_BeforeTheFirstRequest_IsEmpty()
    {
        var board = new BootBoard(new BootFeed().Boots, _feed.Time);

        Assert.Equal((StormView.None, 0), (board.Now.Newest, board.Find(new BootQuery())!.Matched));
    }

    // 3: with 60 VMs booting, all rows were 14 minutes old; after one small boot its median stood above bars of 11 s.
    [Fact]
    public void Boots_OfAnOlderStorm_AreNotAmongThoseOfTheNewest()
    {
        Storm(1, 300, milliseconds: 100);
        _feed.Pass(60);
        Storm(1001, 60, milliseconds: 1);

        BootPage page = _board.Find(new BootQuery { Limit = 500 })!;

        Assert.Equal((2, 60, 60), (_board.Now.Storms.Count, page.Matched, page.Storm.Boots));
        Assert.All(page.Boots, boot => Assert.StartsWith("10.0.", boot.Client, StringComparison.Ordinal));
        Assert.All(page.Boots, boot => Assert.Equal(page.Storm.Id, boot.StormId));
        Assert.InRange(page.Storm.DurationMs, 1, 1000);
        StormView before = _board.Now.Storms[1];
        Assert.Equal((300, 0, 300, false), (before.Boots, before.Booting, before.Done, before.IsRunning));
        Assert.InRange(before.MedianMs!.Value, 2000, 2200);
        Assert.Null(page.Storm.MedianMs);
        Assert.Equal(300, _board.Find(new BootQuery { Storm = before.Id })!.Matched);
    }

    // 4: 15 that stopped of 1,500 ranked 1484 to 1498 and so were in no list.
    [Fact]
    public void Boots_ThatStopped_ComeFirstThenThoseThatBootThenTheSlowest()
    {
        Storm(1, 1500, milliseconds: 10);
        for (int vm = 2001; vm <= 2015; vm++)
        {
            _feed.Boot(vm, 8 + 3, milliseconds: 1);
        }

        _feed.Pass(25);
        _feed.Boot(3001, 15);
        BootPage page = Find(new BootQuery());

        Assert.Equal((15, 1, 1500), (page.Storm.Stopped, page.Storm.Booting, page.Storm.Done));
        Assert.All(page.Boots.Take(15), boot => Assert.Equal(BootState.Stopped, boot.State));
        Assert.Equal([.. Enumerable.Range(2001, 15).Select(Address)], page.Boots.Take(15).Select(boot => boot.Client).Order());
        Assert.Equal((BootState.Booting, Address(3001)), (page.Boots[15].State, page.Boots[15].Client));
        Assert.All(page.Boots.Skip(16), boot => Assert.Equal(BootState.Done, boot.State));
    }

    // Those that stop are silent first: three of them were one another's whole boots, and passed for done for ever.
    [Theory]
    [InlineData(1, 300)]
    [InlineData(3, 300)]
    [InlineData(12, 30)]
    [InlineData(12, 2000)]
    public void Boots_ThatStoppedBeforeAnyWasWhole_AreFoundWhenOthersAre(int stopped, int whole)
    {
        for (int vm = 1; vm <= stopped; vm++)
        {
            _feed.Boot(vm, 10, milliseconds: 1);
        }

        _feed.Pass(3);
        Storm(1001, whole, milliseconds: 1);
        _feed.Pass(25);

        BootPage page = Find(new BootQuery { State = BootState.Stopped });
        Assert.Equal([.. Enumerable.Range(1, stopped).Select(Address)], page.Boots.OrderBy(boot => boot.Id).Select(boot => boot.Client));
        Assert.Equal((stopped, whole), (page.Storm.Stopped, page.Storm.Done));
    }

    [Fact]
    public void Boots_ByPages_AreAllThereOnce()
    {
        Storm(1, 5000, milliseconds: 1);

        int[] ids = [.. Enumerable.Range(0, 11).SelectMany(
            page => Find(new BootQuery { Offset = page * 500, Limit = 500 }).Boots).Select(boot => boot.Id)];

        Assert.Equal(5000, ids.Length);
        Assert.Equal(5000, ids.Distinct().Count());
    }

    [Theory]
    [InlineData("10.0.0.7", null, 1)]
    [InlineData("10.0.0.1", null, 12)]             // .1, .10 to .19 and .100
    [InlineData("10.0.0.0/30", null, 3)]
    [InlineData("10.0.0.0/99", null, 0)]
    [InlineData("", "B.EXAMPLE", 1)]
    [InlineData("10.0.0.2", "b.example.org", 0)]
    public void Boots_Filtered_AreThoseAskedFor(string client, string? repository, int count)
    {
        Storm(1, 20, milliseconds: 1);
        _feed.Boot(100, 20, repository: "b.example.org");

        Assert.Equal(count, Find(new BootQuery { Client = client, Repository = repository }).Matched);
    }

    [Fact]
    public void Boots_ByClient_AreInTheOrderOfNumbers()
    {
        Storm(1, 12, milliseconds: 1);

        Assert.Equal(Enumerable.Range(1, 12).Select(Address),
            Find(new BootQuery { Order = BootOrder.Client }).Boots.Select(boot => boot.Client));
    }

    [Fact]
    public void Requests_ThatWereRefused_AreCountedForTheirBootAndStorm()
    {
        _feed.Boot(1, 20);
        _feed.Pump(_feed.Record(1, null, "C0", 30, 1, result: RequestResult.Refused));

        BootPage page = Find(new BootQuery());

        Assert.Equal((1, 1L), (page.Boots[0].Refused, page.Storm.Refused));
    }

    [Fact]
    public void Snapshot_WithinASecond_IsShared()
    {
        _feed.Boot(1, 20);
        BootSnapshot first = _board.Now;
        _feed.Boot(2, 20);

        Assert.Same(first, _board.Now);
        _feed.Pass(1);
        Assert.Equal(2, _board.Now.Newest.Boots);
        Assert.NotEqual(first.Version, _board.Now.Version);
    }

    [Fact]
    public void Snapshot_WhenNothingChanges_IsTheSame()
    {
        Storm(1, 20, milliseconds: 1);
        _feed.Pass(120);
        BootSnapshot first = _board.Now;
        _feed.Pass(60);

        Assert.Same(first, _board.Now);
        Assert.False(first.Newest.IsRunning);
    }

    // An open page costs nothing for the storms and boots that stand as they were.
    [Fact]
    public void Snapshot_OfWhatDidNotChange_IsWhatItWas()
    {
        Storm(1, 20, milliseconds: 1);
        _feed.Pass(60);
        Storm(1001, 20, milliseconds: 1);
        BootSnapshot first = _board.Now;
        BootPage page = Find(new BootQuery { Order = BootOrder.Oldest });
        _feed.Pump(_feed.Record(1001, 30, "C20", 0, 1));

        BootPage next = Find(new BootQuery { Order = BootOrder.Oldest });

        Assert.NotSame(first, _board.Now);
        Assert.Same(first.Storms[1], _board.Now.Storms[1]);
        Assert.Same(first.ByStorm[1], _board.Now.ByStorm[1]);
        Assert.NotSame(first.ByStorm[0], _board.Now.ByStorm[0]);
        Assert.Equal(page.Boots[0].Requests + 1, next.Boots[0].Requests);
        Assert.All(page.Boots.Skip(1).Zip(next.Boots.Skip(1)), pair => Assert.Same(pair.First, pair.Second));
    }

    [Fact]
    public void Boots_AskedForInAnotherWay_AreNotThoseOfTheLastQuestion()
    {
        Storm(1, 12, milliseconds: 1);
        _feed.Pass(40);
        Storm(2001, 3, milliseconds: 1);
        StormView[] storms = [.. _board.Now.Storms];

        int[] matched = [.. ((BootQuery[])
        [
            new() { Limit = 5 }, new() { Limit = 5, Offset = 5 }, new() { Storm = storms[1].Id },
            new() { Storm = storms[1].Id, Client = "10.0.0.1" }, new() { Storm = storms[0].Id }, new() { State = BootState.Stopped },
        ]).Select(query => _board.Find(query)!.Matched)];

        Assert.Equal([3, 3, 12, 4, 3, 0], matched);
        Assert.Equal(3, _board.Find(new BootQuery { Limit = 5 })!.Boots.Count);
        Assert.Empty(_board.Find(new BootQuery { Limit = 5, Offset = 5 })!.Boots);
    }

    [Fact]
    public void Storms_WhoseBootsAreForgotten_GoWithThem()
    {
        for (int storm = 0; storm < 5; storm++)
        {
            Storm(storm * 4000, 4000, milliseconds: 1);
            _feed.Pass(40);
        }

        Assert.Equal([5, 4, 3], _feed.Now.Storms.Select(storm => storm.Id!.Value));
        Assert.Equal(BootTimelines.MaxBoots, _feed.Now.Storms.Sum(storm => storm.Boots));
        Assert.Null(_board.Find(new BootQuery { Storm = 1 }));
    }

    private BootPage Find(BootQuery query)
    {
        _feed.Pass(1);
        return _board.Find(query)!;
    }

    private void Storm(int firstVm, int vms, double milliseconds)
    {
        for (int vm = firstVm; vm < firstVm + vms; vm++)
        {
            _feed.Boot(vm, 20, milliseconds);
        }
    }

    private static string Address(int vm) => $"10.{vm >> 16}.{(vm >> 8) & 255}.{vm & 255}";
}

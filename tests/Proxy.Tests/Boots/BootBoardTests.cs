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

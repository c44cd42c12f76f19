using System.Net;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Tests.Cluster;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.WorkingSets;

/// <summary>Boots that a node keeps for the one that learns of their repository, and how many.</summary>
public sealed class SiteBootsTests : IDisposable
{
    private readonly TestSite _site = new();
    private readonly SiteBoots _boots;
    private readonly Fqrn _others;
    private readonly Fqrn _own;

    public SiteBootsTests()
    {
        _site.See(_site.Node("self"), _site.Node("b"));
        Ring ring = TestSite.RingOf("self", "b");
        _others = Fqrn.Parse(TestSite.NameOwnedBy(ring, "b"));
        _own = Fqrn.Parse(TestSite.NameOwnedBy(ring, "self"));
        _boots = new SiteBoots(_site.Nodes);
    }

    public void Dispose() => _site.Dispose();

    [Fact]
    public void TryKeep_BootOfARepository_OnlyWhereAnotherLearnsOfIt()
    {
        Assert.Equal((true, false), (_boots.IsLearnedElsewhere(_others), _boots.IsLearnedElsewhere(_own)));
        Assert.True(_boots.TryKeep(Boot(_others, 1)));
        Assert.False(_boots.TryKeep(Boot(_own, 1)));

        Assert.Equal([KeyValuePair.Create(_others, 1L)], _boots.Newest().AsEnumerable());
        Assert.Empty(_boots.Of(_own));
    }

    [Fact]
    public void TryKeep_BootThatIsNoImages_IsLearnedFromHere()
    {
        BootRead read = new(MiniOs.BootObjects(1)[0], TimeSpan.Zero);

        Assert.True(_boots.TryKeep(new RecordedBoot(_others, [.. Enumerable.Repeat(read, 20_000)])));
        Assert.False(_boots.TryKeep(new RecordedBoot(_others, [.. Enumerable.Repeat(read, 20_001)])));
    }

    [Fact]
    public void Of_Repository_HasTheNewestBootOfEachClientAndNineInAll()
    {
        Assert.True(_boots.TryKeep(Boot(_others, 1)));
        Assert.True(_boots.TryKeep(Boot(_others, null)));
        Assert.True(_boots.TryKeep(Boot(_others, null)));
        Assert.True(_boots.TryKeep(Boot(_others, 1)));
        Assert.Equal([2L, 3, 4], _boots.Of(_others).Select(boot => boot.Id));

        for (byte client = 2; client < 9; client++)
        {
            Assert.True(_boots.TryKeep(Boot(_others, client)));
        }

        Assert.Equal(Enumerable.Range(3, 9).Select(id => (long)id), _boots.Of(_others).Select(boot => boot.Id));
        Assert.Equal(11, _boots.Newest()[_others]);
    }

    [Fact]
    public void TryKeep_OfMoreRepositoriesThanANodeKeeps_IsLearnedFromHere()
    {
        Fqrn[] names = [.. Enumerable.Range(0, int.MaxValue).Select(i => Fqrn.Parse($"m{i}.example.org"))
            .Where(_boots.IsLearnedElsewhere).Take(SiteBoots.MaxRepositories + 1)];

        Assert.All(names[..^1], name => Assert.True(_boots.TryKeep(Boot(name, 1))));

        Assert.False(_boots.TryKeep(Boot(names[^1], 1)));
        Assert.True(_boots.TryKeep(Boot(names[0], 2)));
        Assert.Equal(SiteBoots.MaxRepositories, _boots.Newest().Count);
    }

    [Fact]
    public void Take_BootsOfOtherNodes_ComeOutInTheirOrderAndAreBounded()
    {
        Assert.False(_boots.TryTakeArrived(out _));
        for (int i = 0; i < 100; i++)
        {
            _boots.Take(Boot(_own, 1) with { Id = i });
        }

        List<long> arrived = [];
        while (_boots.TryTakeArrived(out RecordedBoot? boot))
        {
            arrived.Add(boot.Id);
        }

        Assert.Equal(Enumerable.Range(0, 64).Select(i => (long)i), arrived);
    }

    private static RecordedBoot Boot(Fqrn repository, byte? client) =>
        new(repository, []) { Client = client is { } last ? new IPAddress([10, 0, 0, last]) : null };
}

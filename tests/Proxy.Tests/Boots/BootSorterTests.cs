using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Boots;

/// <summary>Which boot a request belongs to, one request at a time.</summary>
public sealed class BootSorterTests
{
    private static readonly Fqrn s_repository = Fqrn.Parse("a.example.org");
    private static readonly ObjectKey s_catalog = BootFeed.Key(1, ObjectKind.Catalog);

    private readonly List<VmBoot> _pressed = [];
    private int _ms;

    [Fact]
    public void Requests_OnOtherConnections_GoToTheNewestBootThatLacksTheObjectAndStayThere()
    {
        BootSorter<VmBoot> sorter = Sorter(new BootSorterLimits());
        VmBoot first = Ask(sorter, "a", null)!;
        VmBoot second = Ask(sorter, "b", null)!;
        Assert.NotSame(first, second);

        Assert.Same(second, Ask(sorter, "c", 7));
        Assert.Same(second, sorter.BoundTo(s_repository, "c"));
        Assert.Same(first, Ask(sorter, "d", 7));            // the newest has it
        Assert.Same(first, sorter.BoundTo(s_repository, "d"));
        Assert.Same(first, Ask(sorter, "d", 8));            // though the newest lacks it
        Assert.Same(second, Ask(sorter, "d", 8));           // asked twice on it: another VM's, that lacks it
        Assert.Same(second, sorter.BoundTo(s_repository, "d"));
        Assert.Equal(4, sorter.Looks);                      // c 1; d 2, then 1: a boot that is bound needs none
        Assert.Same(second, Ask(sorter, "d", 8));           // both have it: it stays where it is
        Assert.Equal(6, sorter.Looks);
    }

    [Fact]
    public void Object_AskedForAgainByTheOwner_IsNotTheFirstTime()
    {
        BootSorter<VmBoot> sorter = Sorter(new BootSorterLimits());
        VmBoot boot = Ask(sorter, "a", null)!;

        Assert.Same(boot, sorter.Assign(Request("a", BootFeed.Key(1)), out bool isFirst));
        Assert.True(isFirst);
        Assert.Same(boot, sorter.Assign(Request("a", BootFeed.Key(1)), out isFirst));
        Assert.False(isFirst);
        Assert.Same(boot, sorter.Assign(Request("a", null), out isFirst));      // the manifest again
        Assert.False(isFirst);
        Assert.Equal(1, sorter.Count);
    }

    [Fact]
    public void Object_WithoutABoot_BelongsToNoneButACatalogBeginsOne()
    {
        BootSorter<VmBoot> sorter = Sorter(new BootSorterLimits());

        Assert.Null(Ask(sorter, "a", 1));
        VmBoot boot = sorter.Assign(Request("a", s_catalog), out bool isFirst)!;
        Assert.True(isFirst);
        Assert.Equal("a", boot.Owner);
        Assert.Null(Ask(sorter, "b", 2, client: "10.0.0.9"));      // another address
        Assert.Equal(1, sorter.Count);
    }

    [Fact]
    public void Catalog_ThatEveryBootOfTheAddressHas_IsAReboot()
    {
        BootSorter<VmBoot> sorter = Sorter(new BootSorterLimits());
        VmBoot first = sorter.Assign(Request("a", s_catalog), out _)!;

        VmBoot second = sorter.Assign(Request("b", s_catalog), out _)!;

        Assert.NotSame(first, second);
        Assert.Same(second, sorter.BoundTo(s_repository, "b"));
        Assert.Same(first, sorter.Assign(Request("a", s_catalog), out _));      // its own connection is its own
        Assert.Equal([first, second], sorter.Boots);
    }

    [Fact]
    public void Connections_MoreThanAreRemembered_AreAssignedByTheObjectAlone()
    {
        BootSorter<VmBoot> sorter = Sorter(new BootSorterLimits { MaxConnections = 2 });
        VmBoot boot = Ask(sorter, "a", null)!;

        Assert.Same(boot, Ask(sorter, "b", 1));
        Assert.Same(boot, Ask(sorter, "c", 2));

        Assert.Equal(["a", "b"], boot.Connections);
        Assert.Null(sorter.BoundTo(s_repository, "c"));
        Assert.Null(Ask(sorter, "c", 2));
    }

    [Theory]
    [InlineData(2, 99, "10.0.0.1", "10.0.0.2")]     // in all
    [InlineData(99, 2, "10.0.0.1", "10.0.0.1")]     // of one address
    public void Boots_BeyondALimit_EndTheOldest(int most, int mostOfAddress, string client, string other)
    {
        BootSorter<VmBoot> sorter = Sorter(new BootSorterLimits { MaxBoots = most, MaxBootsOfAddress = mostOfAddress });
        VmBoot first = Ask(sorter, "a", null, client)!;
        Ask(sorter, "b", null, other);
        Assert.Empty(_pressed);

        Ask(sorter, "c", null, client);

        Assert.Equal([first], _pressed);
        Assert.Equal(2, sorter.Count);
        Assert.Null(sorter.BoundTo(s_repository, "a"));
        Assert.NotNull(sorter.BoundTo(s_repository, "b"));
    }

    [Fact]
    public void Boots_OfOneAddress_AreSixtyFourWhereNobodySaysOtherwise()
    {
        BootSorter<VmBoot> sorter = Sorter(new BootSorterLimits());
        for (int i = 0; i < 64; i++)
        {
            Ask(sorter, $"c{i}", null);
        }

        Assert.Empty(_pressed);
        Ask(sorter, "one more", null);
        Assert.Single(_pressed);
    }

    /// <summary>A boot takes 96 bytes for its first eight objects, 192 with the ninth.</summary>
    [Theory]
    [InlineData(96 + 192, 0)]
    [InlineData(96 + 192 - 1, 1)]
    public void Memory_BeyondItsLimit_IsThatOfTheOldestBoot(long most, int pressed)
    {
        BootSorter<VmBoot> sorter = Sorter(new BootSorterLimits { MaxSeenBytes = most });
        VmBoot oldest = Ask(sorter, "a", null)!;
        VmBoot newest = Ask(sorter, "b", null)!;
        for (int i = 0; i < 9; i++)
        {
            Assert.Same(newest, Ask(sorter, "b", i));
        }

        Assert.Equal(pressed, _pressed.Count);
        Assert.All(_pressed, boot => Assert.Same(oldest, boot));
    }

    [Fact]
    public void Memory_OfTheOnlyBoot_IsNotTakenAway()
    {
        BootSorter<VmBoot> sorter = Sorter(new BootSorterLimits { MaxSeenBytes = 1 });
        Ask(sorter, "a", null);
        Ask(sorter, "a", 1);

        Assert.Empty(_pressed);
    }

    [Fact]
    public void End_Twice_LetsItsConnectionsAndItsMemoryGoOnce()
    {
        BootSorter<VmBoot> sorter = Sorter(new BootSorterLimits { MaxSeenBytes = 96 + 96 });
        VmBoot first = Ask(sorter, "a", null)!;
        Ask(sorter, "b", 1);                        // joins it
        sorter.End(first);
        sorter.End(first);
        Assert.Equal((0, null, null), (sorter.Count, sorter.BoundTo(s_repository, "a"), sorter.BoundTo(s_repository, "b")));

        for (int vm = 0; vm < 3; vm++)
        {
            Ask(sorter, $"c{vm}", null);
        }

        Ask(sorter, "c2", 1);                       // three times 96 bytes are one boot too many: no more was given back than was held

        Assert.Single(_pressed);
    }

    private BootSorter<VmBoot> Sorter(BootSorterLimits limits) => new(limits, first => new VmBoot(first), _pressed.Add);

    private VmBoot? Ask(BootSorter<VmBoot> sorter, string connection, int? number, string client = "10.0.0.1") =>
        sorter.Assign(Request(connection, number is { } known ? BootFeed.Key(known) : null, client), out _);

    private ObservedRequest Request(string connection, ObjectKey? key, string client = "10.0.0.1") =>
        new(s_repository, key, IPAddress.Parse(client), connection, TimeSpan.FromMilliseconds(_ms++));

    private sealed class VmBoot(in ObservedRequest first) : SortedBoot(first, 1000);
}

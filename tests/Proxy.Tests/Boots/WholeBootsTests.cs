using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Boots;

/// <summary>What a boot is compared with, and where the comparison turns.</summary>
public sealed class WholeBootsTests
{
    private static readonly Fqrn s_repository = Fqrn.Parse("a.example.org");
    private readonly WholeBoots _whole = new();

    [Theory]
    [InlineData(2, 40, 0, BootVerdict.Unknown)]         // too few to compare with
    [InlineData(3, 40, 0, BootVerdict.Short)]
    [InlineData(3, 40, 4, BootVerdict.Short)]           // of the last quarter less than a fifth
    [InlineData(3, 40, 5, BootVerdict.Whole)]           // a fifth
    [InlineData(3, 100, 0, BootVerdict.Whole)]
    public void Judge_OfPartsOfTheSameBoot_TurnsWhereItsEndIsReached(int peers, int read, int ofTheEnd, object verdict)
    {
        Add(peers, 0..100);

        Assert.Equal((BootVerdict)verdict, Judge([.. Keys(0..read), .. Keys(75..(75 + ofTheEnd))]));
    }

    [Theory]
    [InlineData(40, 10, BootVerdict.Short)]             // four fifths are also theirs: of the same kind
    [InlineData(40, 11, BootVerdict.Unknown)]
    public void Judge_OfABootThatReadsOtherThings_IsOfTheSameKindUpToAFifth(int common, int other, object verdict)
    {
        Add(3, 0..100);

        Assert.Equal((BootVerdict)verdict, Judge([.. Keys(0..common), .. Keys(1000..(1000 + other))]));
    }

    [Theory]
    [InlineData(3, 3, BootVerdict.Whole)]               // half of them got further: not most
    [InlineData(4, 3, BootVerdict.Short)]
    [InlineData(2, 1, BootVerdict.Whole)]               // most, and still too few
    public void Judge_WhereOnlySomeGotFurther_GoesByMost(int further, int alike, object verdict)
    {
        Add(further, 0..100);
        Add(alike, 0..40);

        Assert.Equal((BootVerdict)verdict, Judge(Keys(0..40)));
    }

    [Fact]
    public void Judge_OfTinyBoots_HasATailOfOne()
    {
        Add(3, 0..3);

        Assert.Equal((BootVerdict.Short, BootVerdict.Whole), (Judge(Keys(0..2)), Judge(Keys(0..3))));
        Assert.Equal(BootVerdict.Unknown, _whole.Judge(Fqrn.Parse("b.example.org"), Seen(Keys(0..2))));
    }

    [Fact]
    public void Peers_MoreThanEight_GoOldestFirst()
    {
        Assert.Equal((0, 1), (_whole.LongestOf(s_repository), _whole.CostOf(s_repository)));
        Add(1, 0..100);
        Add(7, 0..10);
        Assert.Equal((100, 1 + 100 + 70), (_whole.LongestOf(s_repository), _whole.CostOf(s_repository)));

        Add(1, 0..12);

        Assert.Equal((12, 1 + 70 + 12), (_whole.LongestOf(s_repository), _whole.CostOf(s_repository)));
    }

    [Fact]
    public void Repositories_MoreThanThirtyTwo_GoOldestFirst()
    {
        Fqrn[] all = [.. Enumerable.Range(0, 33).Select(i => Fqrn.Parse($"r{i}.example.org"))];
        foreach (Fqrn repository in all[..32])
        {
            _whole.Add(repository, Seen(Keys(0..5)));
        }

        Assert.Equal(5, _whole.LongestOf(all[0]));

        _whole.Add(all[32], Seen(Keys(0..5)));

        Assert.Equal([0, 5, 5], new[] { all[0], all[1], all[32] }.Select(_whole.LongestOf));
    }

    private void Add(int boots, Range read)
    {
        for (int i = 0; i < boots; i++)
        {
            _whole.Add(s_repository, Seen(Keys(read)));
        }
    }

    private BootVerdict Judge(IEnumerable<ObjectKey> read) => _whole.Judge(s_repository, Seen(read));

    private static SeenObjects Seen(IEnumerable<ObjectKey> keys)
    {
        var seen = new SeenObjects(1000);
        foreach (ObjectKey key in keys)
        {
            seen.Add(key);
        }

        return seen;
    }

    private static IEnumerable<ObjectKey> Keys(Range numbers) =>
        Enumerable.Range(numbers.Start.Value, numbers.End.Value - numbers.Start.Value).Select(i => BootFeed.Key(i));
}

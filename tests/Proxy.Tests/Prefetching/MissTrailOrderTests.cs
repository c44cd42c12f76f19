using Breakwater.CacheStore;
using Breakwater.Proxy.Prefetching;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Prefetching;

/// <summary>Which misses are in the order of before, at the bounds of it.</summary>
public sealed class MissTrailOrderTests
{
    private readonly MissTrail _trail = MissTrail.Of(Enumerable.Range(0, 200).Select(Key));

    [Theory]
    [InlineData(0, 1, 2, 3)]
    [InlineData(100, 101, 102, 103)]
    [InlineData(0, 32, 64, 65)] // as far apart as may be
    [InlineData(0, 31, 30, -1)]
    [InlineData(0, 33, 34, -1)]
    [InlineData(0, 1, 34, -1)]
    [InlineData(10, 9, 8, -1)] // in order backwards is none
    [InlineData(5, 5, 6, -1)] // the same again neither
    [InlineData(5, 5, 5, -1)]
    [InlineData(500, 1, 2, -1)] // nor one that is on no trail
    [InlineData(197, 198, 199, -1)] // the last one: nothing comes behind it
    [InlineData(196, 197, 198, 199)]
    public void Follow_ThreeMisses_TellWhatIsBehindTheThirdIfTheyAreInOrder(int first, int second, int third, int told)
    {
        Assert.Empty(_trail.Follow(Key(first)));
        Assert.Empty(_trail.Follow(Key(second)));

        Assert.Equal(told < 0 ? [] : Enumerable.Range(told, 200 - told).Select(Key), _trail.Follow(Key(third)));
    }

    /// <summary>Clients have several connections, and several clients walk: one that comes late does not begin anew.</summary>
    [Theory]
    [InlineData(18, true)]
    [InlineData(17, false)]
    public void Follow_OneThatComesLate_BeginsAnewOnlyWhenItIsFarBehind(int late, bool goesOn)
    {
        _trail.Follow(Key(49));
        _trail.Follow(Key(50));
        _trail.Follow(Key(late));

        Assert.Equal(goesOn ? 148 : 0, _trail.Follow(Key(51)).Count);
    }

    [Fact]
    public void Follow_ALongTrail_IsToldSoFarAhead()
    {
        var trail = MissTrail.Of(Enumerable.Range(0, 5000).Select(Key));
        trail.Follow(Key(0));
        trail.Follow(Key(1));

        Assert.Equal(Enumerable.Range(3, 2048).Select(Key), trail.Follow(Key(2)));
        Assert.Equal(Enumerable.Range(2052, 2048).Select(Key), trail.Follow(Key(2051)));
        Assert.Equal(Enumerable.Range(4101, 899).Select(Key), trail.Follow(Key(4100)));
        Assert.Empty(trail.Follow(Key(4099)));
    }

    [Theory]
    [InlineData(3, false)]
    [InlineData(4, true)]
    public void IsTelling_ATrailThatThreeMissesDoNotUseUp_Is(int keys, bool expected) =>
        Assert.Equal(expected, MissTrail.Of(Enumerable.Range(0, keys).Select(Key)).IsTelling);

    [Fact]
    public void IsChanged_SavedAndChangedAgain_FollowsTheKeys()
    {
        Assert.False(_trail.IsChanged);
        _trail.Add(Key(7));
        Assert.False(_trail.IsChanged); // it is on it
        _trail.Add(Key(1000));
        Assert.True(_trail.IsChanged);
        _trail.MarkSaved();
        Assert.False(_trail.IsChanged);
        _trail.Remove(Key(2000));
        Assert.False(_trail.IsChanged);
        _trail.Remove(Key(3));
        Assert.True(_trail.IsChanged);
        Assert.Equal(Enumerable.Range(0, 200).Where(i => i != 3).Append(1000).Select(Key), _trail.Keys);
    }

    [Fact]
    public void Of_MoreKeysThanAreKept_TakesTheFirst()
    {
        var trail = MissTrail.Of(Enumerable.Range(0, MissTrail.MaxKeys + 5).Select(Key));

        Assert.Equal(MissTrail.MaxKeys, trail.Count);
        Assert.Equal(Key(0), trail.Keys.First());
    }

    /// <summary>The older half goes, and the places of the rest are right still.</summary>
    [Fact]
    public void Add_ToAFullTrail_KeepsTheYoungerHalfInItsOrder()
    {
        const int Half = MissTrail.MaxKeys / 2;
        var trail = MissTrail.Of(Enumerable.Range(0, MissTrail.MaxKeys).Select(Key));
        trail.Remove(Key(Half + 1));
        trail.Follow(Key(Half + 100));
        trail.Follow(Key(Half + 101));
        trail.Add(Key(MissTrail.MaxKeys));

        Assert.Equal(Enumerable.Range(Half, Half + 1).Where(i => i != Half + 1).Select(Key), trail.Keys);
        Assert.Empty(trail.Follow(Key(Half + 102))); // places have moved: it begins anew
        Assert.Empty(trail.Follow(Key(Half + 103)));
        Assert.Equal(Enumerable.Range(Half + 105, 2048).Select(Key), trail.Follow(Key(Half + 104)));
        Assert.Empty(trail.Follow(Key(0)));
    }

    [Fact]
    public void Trails_Changed_AreTakenOnce()
    {
        var trails = new MissTrails();
        Fqrn name = Fqrn.Parse("a.example.org"), saved = Fqrn.Parse("b.example.org"), brief = Fqrn.Parse("c.example.org");
        trails.Restore(saved, Enumerable.Range(0, 10).Select(Key));
        for (int i = 0; i < 4; i++)
        {
            trails.Learn(name, Key(i));
        }

        trails.Learn(brief, Key(1));

        Assert.Equal((3, 15), trails.Held);
        (Fqrn fqrn, ObjectKey[] keys) = Assert.Single(trails.TakeChanged());
        Assert.Equal(name, fqrn);
        Assert.Equal(Enumerable.Range(0, 4).Select(Key), keys);
        Assert.Empty(trails.TakeChanged());
        trails.Forget(saved, Key(3));
        trails.Forget(saved, Key(3));
        Assert.Equal(14, trails.Held.Keys);
        Assert.Equal(saved, Assert.Single(trails.TakeChanged()).Fqrn);
        Assert.Empty(trails.TakeForgotten());
    }

    [Fact]
    public void Trails_OneThatIsWalkedAgain_IsNotForgottenAfterAll()
    {
        var trails = new MissTrails();
        Fqrn name = Fqrn.Parse("a.example.org");
        trails.Restore(name, [Key(1)]); // tells nothing
        trails.Learn(name, Key(1));
        trails.Restore(Fqrn.Parse("b.example.org"), [Key(1)]);

        Assert.Equal([Fqrn.Parse("b.example.org")], trails.TakeForgotten());
        Assert.Empty(trails.TakeForgotten());
    }

    private static ObjectKey Key(int i) => ObjectKey.Parse((i + 1).ToString("x8").PadRight(40, '0'));
}

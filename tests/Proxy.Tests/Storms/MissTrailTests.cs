using Breakwater.CacheStore;
using Breakwater.Proxy.Storms;

namespace Breakwater.Proxy.Tests.Storms;

public sealed class MissTrailTests
{
    [Fact]
    public void Note_ATrailWalkedAgain_TellsTheRestAtTheThirdMissInOrder()
    {
        var trail = new MissTrail();
        Assert.All(Keys(100), key => Assert.Empty(trail.Note(key)));

        Assert.Empty(trail.Note(Key(0)));
        Assert.Empty(trail.Note(Key(1)));
        Assert.Equal(Keys(100).Skip(3), trail.Note(Key(2)));
        Assert.Empty(trail.Note(Key(3)));
    }

    [Fact]
    public void Note_WalkedAThirdTime_TellsItAgain()
    {
        var trail = new MissTrail();
        for (int walk = 0; walk < 3; walk++)
        {
            int told = Keys(100).Take(3).Sum(key => trail.Note(key).Count);
            Keys(100).Skip(3).ToList().ForEach(key => trail.Note(key));
            Assert.Equal(walk == 0 ? 0 : 97, told);
        }
    }

    [Fact]
    public void Note_SingleMissesHereAndThere_TellsNothing()
    {
        var trail = new MissTrail();
        Keys(1000).ForEach(key => trail.Note(key));

        Assert.All(Enumerable.Range(0, 20), i => Assert.Empty(trail.Note(Key(997 - (i * 50)))));
    }

    [Fact]
    public void Note_ALongTrail_IsToldPieceByPieceAndOnce()
    {
        var trail = MissTrail.Of(Keys(10_000));
        List<ObjectKey> told = [];
        foreach (ObjectKey key in Keys(10_000).Where(key => !told.Contains(key)))
        {
            told.AddRange(trail.Note(key));
        }

        Assert.Equal(9_997, Keys(10_000).Skip(3).Except(told).Count() + told.Count);
        Assert.Equal(told.Count, told.Distinct().Count());
        Assert.True(told.Count > 9_900, $"{told.Count} told");
    }

    [Fact]
    public void Note_MoreKeysThanAreKept_ForgetsTheOldest()
    {
        var trail = new MissTrail();
        Keys(MissTrail.MaxKeys + 1).ForEach(key => trail.Note(key));

        Assert.Equal((MissTrail.MaxKeys / 2) + 1, trail.Keys.Count);
        Assert.Equal(Key(MissTrail.MaxKeys), trail.Keys[^1]);
        Assert.True(trail.IsChanged);
    }

    private static List<ObjectKey> Keys(int count) => [.. Enumerable.Range(0, count).Select(Key)];

    private static ObjectKey Key(int i) => ObjectKey.TryParse(i.ToString("x40"), out ObjectKey key) ? key : throw new InvalidOperationException();
}

using Breakwater.CacheStore;
using Breakwater.Proxy.Prefetching;

namespace Breakwater.Proxy.Tests.Prefetching;

public sealed class MissTrailTests
{
    [Fact]
    public void Note_ATrailWalkedAgain_TellsTheRestAtTheThirdMissInOrder()
    {
        var trail = new MissTrail();
        Assert.All(Keys(100), key => Assert.Empty(Note(trail, key)));

        Assert.Empty(Note(trail, Key(0)));
        Assert.Empty(Note(trail, Key(1)));
        Assert.Equal(Keys(100).Skip(3), Note(trail, Key(2)));
        Assert.Empty(Note(trail, Key(3)));
    }

    /// <summary>An object may have come before the miss that began its fetch is followed: that is still the first walk.</summary>
    [Fact]
    public void Follow_AfterItsOwnObjectWasLearned_IsStillTheFirstWalk()
    {
        var trail = new MissTrail();
        foreach (ObjectKey key in Keys(40))
        {
            trail.Add(key);
            Assert.Empty(trail.Follow(key));
        }

        Assert.Empty(Note(trail, Key(0)));
        Assert.Empty(Note(trail, Key(1)));
        Assert.Equal(Keys(40).Skip(3), Note(trail, Key(2)));
    }

    [Fact]
    public void Note_WalkedAThirdTime_TellsItAgain()
    {
        var trail = new MissTrail();
        for (int walk = 0; walk < 3; walk++)
        {
            int told = Keys(100).Take(3).Sum(key => Note(trail, key).Count);
            Keys(100).Skip(3).ToList().ForEach(key => Note(trail, key));
            Assert.Equal(walk == 0 ? 0 : 97, told);
        }
    }

    [Fact]
    public void Note_SingleMissesHereAndThere_TellsNothing()
    {
        var trail = new MissTrail();
        Keys(1000).ForEach(key => Note(trail, key));

        Assert.All(Enumerable.Range(0, 20), i => Assert.Empty(Note(trail, Key(997 - (i * 50)))));
    }

    [Fact]
    public void Note_ALongTrail_IsToldPieceByPieceAndOnce()
    {
        var trail = MissTrail.Of(Keys(10_000));
        List<ObjectKey> told = [];
        foreach (ObjectKey key in Keys(10_000).Where(key => !told.Contains(key)))
        {
            told.AddRange(Note(trail, key));
        }

        Assert.Equal(9_997, Keys(10_000).Skip(3).Except(told).Count() + told.Count);
        Assert.Equal(told.Count, told.Distinct().Count());
        Assert.True(told.Count > 9_900, $"{told.Count} told");
    }

    [Fact]
    public void Note_MoreKeysThanAreKept_ForgetsTheOldest()
    {
        var trail = new MissTrail();
        Keys(MissTrail.MaxKeys + 1).ForEach(key => Note(trail, key));

        Assert.Equal((MissTrail.MaxKeys / 2) + 1, trail.Count);
        Assert.Equal(Key(MissTrail.MaxKeys), trail.Keys.Last());
        Assert.True(trail.IsChanged);
    }

    /// <summary>The places of all are others by then: a miss that happens to be near the last one's is not in order with it.</summary>
    [Fact]
    public void Add_ThatForgetsTheOldest_BeginsAnewWithTheOrder()
    {
        var trail = MissTrail.Of(Keys(MissTrail.MaxKeys));
        List<ObjectKey> told = [.. Keys(3).SelectMany(key => trail.Follow(key))];
        Assert.NotEmpty(told);
        trail.Add(Key(MissTrail.MaxKeys));
        int place = (MissTrail.MaxKeys / 2) + told.Count + 4;

        Assert.Empty(trail.Follow(Key(place)));
        Assert.Empty(trail.Follow(Key(place + 1)));
        Assert.Equal(Key(place + 3), trail.Follow(Key(place + 2))[0]);
    }

    [Fact]
    public void Add_ThatForgetsTheOldest_CountsNoneThatWereRemoved()
    {
        var trail = MissTrail.Of(Keys(MissTrail.MaxKeys));
        Assert.True(trail.Remove(Key(MissTrail.MaxKeys - 2)));
        trail.Add(Key(MissTrail.MaxKeys));

        Assert.Equal(MissTrail.MaxKeys / 2, trail.Count);
        Assert.Equal(trail.Count, trail.Keys.Count());
    }

    [Fact]
    public void Remove_OneThatIsGone_LeavesTheRestInItsOrder()
    {
        var trail = MissTrail.Of(Keys(100));
        Assert.True(trail.Remove(Key(50)));
        Assert.False(trail.Remove(Key(50)));

        Assert.Equal(99, trail.Count);
        Assert.Empty(trail.Follow(Key(0)));
        Assert.Empty(trail.Follow(Key(1)));
        Assert.Equal(Keys(100).Skip(3).Where(key => key != Key(50)), trail.Follow(Key(2)));
    }

    /// <summary>A client asks, and what it asked for comes.</summary>
    private static IReadOnlyList<ObjectKey> Note(MissTrail trail, ObjectKey key)
    {
        IReadOnlyList<ObjectKey> next = trail.Follow(key);
        trail.Add(key);
        return next;
    }

    private static List<ObjectKey> Keys(int count) => [.. Enumerable.Range(0, count).Select(Key)];

    private static ObjectKey Key(int i) =>
        ObjectKey.TryParse((i + 1).ToString("x8").PadRight(40, '0'), out ObjectKey key) ? key : throw new InvalidOperationException();
}

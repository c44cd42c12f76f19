using Breakwater.CacheStore;
using Breakwater.Proxy.Prefetching;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Prefetching;

public sealed class MissTrailsTests
{
    private readonly MissTrails _trails = new();

    [Fact]
    public void Follow_NamesThatNothingWasFetchedFor_LeaveNothing()
    {
        for (int i = 0; i < 100_000; i++)
        {
            _trails.Follow(Fqrn.Parse($"made-up-{i}.example.org"), Key(i));
        }

        Assert.Equal((0, 0), _trails.Held);
    }

    [Fact]
    public void Learn_MoreRepositoriesThanAreKept_ForgetsThoseWalkedLongestAgo()
    {
        Walk("honest.example.org", 10);
        for (int i = 0; i < 3 * MissTrails.MaxTrails; i++)
        {
            Walk($"r{i}.example.org", 5);
            _trails.Learn(Fqrn.Parse("honest.example.org"), Key(0));
        }

        Assert.Equal(MissTrails.MaxTrails, _trails.Held.Trails);
        Assert.Contains(_trails.TakeChanged(), trail => trail.Fqrn == Fqrn.Parse("honest.example.org"));
        Assert.Contains(Fqrn.Parse("r0.example.org"), _trails.TakeForgotten());
    }

    [Fact]
    public void Learn_LongTrails_StayWithinTheKeysOfAll()
    {
        for (int i = 0; i < 50; i++)
        {
            Walk($"r{i}.example.org", MissTrail.MaxKeys - 1);
            Assert.True(_trails.Held.Keys <= MissTrails.MaxKeys);
        }

        Assert.Equal(_trails.Held.Keys, _trails.TakeChanged().Sum(trail => trail.Keys.Length));
    }

    [Fact]
    public void Forget_SomeKeys_KeepsTheHonestTrail()
    {
        Walk("a.example.org", 100);
        for (int i = 60; i < 100; i++)
        {
            _trails.Forget(Fqrn.Parse("a.example.org"), Key(i));
        }

        _trails.Follow(Fqrn.Parse("a.example.org"), Key(0));
        _trails.Follow(Fqrn.Parse("a.example.org"), Key(1));
        Assert.Equal(57, _trails.Follow(Fqrn.Parse("a.example.org"), Key(2)).Count);
        Assert.Equal((1, 60), _trails.Held);
    }

    [Fact]
    public void Restore_TrailsThatTellNothing_AreGivenUpForGood()
    {
        for (int i = 0; i < 5_000; i++)
        {
            _trails.Restore(Fqrn.Parse($"made-up-{i}.example.org"), [Key(i)]);
        }

        Assert.Equal((0, 0), _trails.Held);
        Assert.Equal(5_000, _trails.TakeForgotten().Count);
        Assert.Empty(_trails.TakeChanged());
    }

    [Fact]
    public void Restore_TrailsOfAsManyKeysAsAreKept_ForgetsTheOldestAtTheNextOne()
    {
        const int Trails = MissTrails.MaxKeys / MissTrail.MaxKeys;
        for (int i = 0; i < Trails; i++)
        {
            _trails.Restore(Fqrn.Parse($"r{i}.example.org"), Enumerable.Range(0, MissTrail.MaxKeys).Select(Key));
        }

        Assert.Equal((Trails, MissTrails.MaxKeys), _trails.Held);
        _trails.Learn(Fqrn.Parse("another.example.org"), Key(0));

        Assert.Equal((Trails, MissTrails.MaxKeys - MissTrail.MaxKeys + 1), _trails.Held);
        Assert.Equal([Fqrn.Parse("r0.example.org")], _trails.TakeForgotten());
    }

    /// <summary>Clients come while what was saved is read.</summary>
    [Fact]
    public void Restore_ATrailThatWasWalkedSinceTheStart_CountsItOnce()
    {
        Walk("a.example.org", 10);

        _trails.Restore(Fqrn.Parse("a.example.org"), Enumerable.Range(100, 30).Select(Key));

        Assert.Equal((1, 30), _trails.Held);
    }

    private void Walk(string fqrn, int count)
    {
        for (int i = 0; i < count; i++)
        {
            _trails.Learn(Fqrn.Parse(fqrn), Key(i));
        }
    }

    private static ObjectKey Key(int i) =>
        ObjectKey.TryParse((i + 1).ToString("x8").PadRight(40, '0'), out ObjectKey key) ? key : throw new InvalidOperationException();
}

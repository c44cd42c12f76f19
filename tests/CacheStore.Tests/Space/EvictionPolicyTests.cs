using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Index;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Space;
using Breakwater.CacheStore.Spooling;
using Breakwater.CacheStore.Staging;

namespace Breakwater.CacheStore.Tests.Space;

/// <summary>Both sides of each limit of what is kept, counted and held in memory.</summary>
public sealed class EvictionPolicyTests
{
    [Theory]
    [InlineData(100, 0, true)] // nothing is kept yet
    [InlineData(100, 1, false)]
    [InlineData(101, 1, true)]
    public void FreshIsNext_FromATenthOfTheQuota(long fresh, long kept, bool isFresh) =>
        Assert.Equal(isFresh, EvictionPolicy.IsFreshNext(fresh, kept, quotaBytes: 1_000, segmentBytes: 10));

    [Theory]
    [InlineData(240, false)]
    [InlineData(241, true)]
    public void FreshIsNext_InASmallStore_FromSixSegments(long fresh, bool isFresh) =>
        Assert.Equal(isFresh, EvictionPolicy.IsFreshNext(fresh, keptBytes: 1, quotaBytes: 1_000, segmentBytes: 40));

    [Fact]
    public void Frequency_CountsToThreeAndCoolsToZero()
    {
        using TemporaryDirectory directory = new();
        using SegmentSet segments = new(directory.Path, 22, new StoreDisk());
        Segment segment = segments.GetOrCreate(0);
        uint ordinal = segment.AddEntry();
        uint neighbour = segment.AddEntry();
        int[] counted = [.. Enumerable.Range(0, 5).Select(_ =>
        {
            segment.CountUse(ordinal);
            return segment.FrequencyOf(ordinal);
        })];

        Assert.Equal([1, 2, 3, 3, 3], counted);
        Assert.Equal(0, segment.FrequencyOf(neighbour));
        Assert.False(segment.IsChecked(ordinal));
        Assert.Equal([2, 1, 0, 0],
            [EvictionPolicy.AfterRound(3), EvictionPolicy.AfterRound(2), EvictionPolicy.AfterRound(1), EvictionPolicy.AfterRound(0)]);
        Assert.Equal([false, true], [EvictionPolicy.IsKeptFromFresh(0), EvictionPolicy.IsKeptFromFresh(1)]);
        Assert.Equal([false, true], [EvictionPolicy.IsKeptAgain(0), EvictionPolicy.IsKeptAgain(1)]);
        Assert.Equal([false, false, true], [.. Enumerable.Range(0, 3).Select(uses => EvictionPolicy.IsKeptFromFresh(uses, true))]);
        Assert.Equal([false, false, true], [.. Enumerable.Range(0, 3).Select(uses => EvictionPolicy.IsKeptAgain(uses, true))]);
        Assert.Equal([0, 1], [EvictionPolicy.InitialFrequency(false), EvictionPolicy.InitialFrequency(true)]);
    }

    [Fact]
    public void Ghosts_AreRememberedUntilAsManyOthersCame()
    {
        GhostTable ghosts = new(1024);
        long hash = 0x1234_5678_0000_0005;
        Assert.False(ghosts.Contains(hash));
        ghosts.Add(hash);
        Assert.True(ghosts.Contains(hash));
        Assert.False(ghosts.Contains(hash ^ (1L << 40))); // the same slot
        for (int i = 0; i < 1023; i++)
        {
            ghosts.Add(6); // another slot
        }

        Assert.True(ghosts.Contains(hash));
        ghosts.Add(6);
        Assert.False(ghosts.Contains(hash));
    }

    [Fact]
    public void StagingBudget_AtItsLimits()
    {
        StagingBudget budget = new(100);
        budget.Add(50);
        Assert.Equal((false, false), (budget.IsHalfUsed, budget.IsExceeded));
        budget.Add(1);
        Assert.Equal((true, false), (budget.IsHalfUsed, budget.IsExceeded));
        budget.Add(49);
        Assert.False(budget.IsExceeded);
        budget.Add(1);
        Assert.True(budget.IsExceeded);
        budget.Remove(101);
        Assert.Equal(0, budget.Bytes);
    }

    [Fact]
    public void OverflowBudget_AtItsLimit()
    {
        OverflowBudget budget = new(100);
        Assert.True(budget.TryTake(100));
        Assert.False(budget.TryTake(1));
        Assert.Equal(100, budget.Taken); // what was refused is not taken
        budget.GiveBack(1);
        Assert.True(budget.TryTake(1));
        budget.GiveBack(100);
        Assert.Equal(0, budget.Taken);
    }

    [Fact]
    public void Extents_BeyondTheirMost_BeginAnew()
    {
        ExtentCache cache = new();
        Extents first = cache.Add(1, new long[1 << 20]);
        cache.Add(2, new long[1 << 20]);
        Assert.Same(first, cache.Find(1)); // two million parts have room
        int last = 2;
        while (cache.Find(1) is not null)
        {
            Assert.InRange(cache.Held.Bytes, 1, ExtentCache.MaxBytes);
            cache.Add(++last, new long[1 << 20]);
        }

        Assert.InRange(last, 3, 1 + (int)(ExtentCache.MaxBytes / (sizeof(long) << 20)));
        Assert.NotNull(cache.Find(last));
    }

    [Theory]
    [InlineData(1000, 1000, true)]
    [InlineData(1000, 1011, true)]
    [InlineData(1000, 1012, false)]
    [InlineData(1000, 2000, false)]
    public void Part_FoundRight_IsBelievedForTwelveGenerations(int found, int now, bool isChecked)
    {
        Extents extents = new(new long[2]);
        Assert.False(extents.IsChecked(1, now));
        extents.SetChecked(1, found);
        Assert.Equal(isChecked, extents.IsChecked(1, now));
        Assert.False(extents.IsChecked(0, now));
    }
}

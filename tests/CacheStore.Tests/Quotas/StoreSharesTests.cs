using Breakwater.CacheStore.Quotas;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Tests.Quotas;

/// <summary>Both sides of each limit of what parties are counted, and of what they have too much.</summary>
public sealed class StoreSharesTests
{
    private static readonly StoreShare s_limited = new("limited.example.org", 1000);
    private static readonly StoreShare s_free = new("free.example.org", null);

    private readonly LogLines _said = new();
    private readonly StoreShares _shares;

    public StoreSharesTests() => _shares = new StoreShares(_said);

    [Theory]
    [InlineData(999, 0)]
    [InlineData(1000, 0)]
    [InlineData(1001, 1)]
    public void Excess_OfAParty_IsWhatItHasBeyondItsQuota(long bytes, long excess)
    {
        _shares.Replace([s_limited, s_free]);
        _shares.Count(_shares.NumberOf(s_limited.Mark), bytes, isFresh: false);
        _shares.Count(_shares.NumberOf(s_free.Mark), 5000, isFresh: true);
        Assert.Equal(excess, _shares.ExcessOf(_shares.NumberOf(s_limited.Mark)));
        Assert.Equal((0L, 0L), (_shares.ExcessOf(_shares.NumberOf(s_free.Mark)), _shares.ExcessOf(0)));
        Assert.Equal(0, _shares.FreshExcess); // none of it is in the fresh log
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public void Party_ThatIsTakenOut_IsCountedWhileItHasAByte(long bytes, bool isCounted)
    {
        _shares.Replace([s_limited]);
        int number = _shares.NumberOf(s_limited.Mark);
        Assert.Equal(1, number);
        _shares.Count(number, bytes, isFresh: true);
        _shares.Replace([]);
        ShareUse[] expected = isCounted ? [new ShareUse(s_limited.Name, 1, null)] : [];
        Assert.Equal(expected, _shares.List());
        Assert.Equal(isCounted ? number : 0, _shares.NumberOf(s_limited.Mark));
    }

    /// <summary>Objects carry them on the disk: they are the same in every version. 0 is nobody's.</summary>
    [Theory]
    [InlineData("limited.example.org", 4052)]
    [InlineData("*.é.example.org", 3310)]
    public void Mark_OfAName_StaysTheSame(string name, int mark) => Assert.Equal(mark, new StoreShare(name, null).Mark);

    [Fact]
    public void Marks_OfManyNames_AreNeverNobodys()
    {
        int[] marks = [.. Enumerable.Range(0, 300_000).Select(static i => (int)new StoreShare($"{i}", null).Mark)];
        Assert.Equal((1, (int)ushort.MaxValue), (marks.Min(), marks.Max()));
        _shares.Replace([s_limited]);
        Assert.Equal((0, 0), (_shares.NumberOf(0), _shares.NumberOf(ushort.MaxValue)));
    }

    /// <summary>Where others have all numbers, a quota that cannot be in force is told of; a count alone is not.</summary>
    [Fact]
    public void Party_ForWhichNoNumberIsFree_IsToldOfIfItHasAQuota()
    {
        StoreShare[] all = [.. Enumerable.Range(0, StoreShares.Most).Select(i => new StoreShare($"{i}.example.org", null))];
        _shares.Replace(all);
        foreach (StoreShare share in all)
        {
            _shares.Count(_shares.NumberOf(share.Mark), 1, isFresh: false);
        }

        _shares.Replace([s_free]);
        Assert.Empty(_said.Levels);
        _shares.Replace([s_limited]);
        Assert.Equal([LogLevel.Warning], _said.Levels);
        Assert.Equal(0, _shares.NumberOf(s_limited.Mark));
        Assert.Equal(StoreShares.Most, _shares.List().Count);
    }
}

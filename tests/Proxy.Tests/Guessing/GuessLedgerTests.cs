using System.Diagnostics.Metrics;
using Breakwater.CacheStore;
using Breakwater.Proxy.Guessing;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.Tests.Guessing;

public sealed class GuessLedgerTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly GuessCounters _counters;

    public GuessLedgerTests() => _counters = new GuessCounters(_services.GetRequiredService<IMeterFactory>());

    public void Dispose() => _services.Dispose();

    [Fact]
    public void Guesses_ByWhenTheyAreAskedFor_AreCountedOnce()
    {
        GuessLedger ledger = new(new GuessLimits(), _counters);
        Assert.All(Enumerable.Range(0, 3), i => Assert.True(ledger.TryAdd(GuessOf(i, 10))));
        ledger.Arrived(KeyOf(0), 5);
        ledger.Arrived(KeyOf(2), 5);

        Assert.True(ledger.Demand(KeyOf(0)));
        Assert.False(ledger.Demand(KeyOf(0)));
        Assert.True(ledger.Demand(KeyOf(1)));
        Assert.True(ledger.Demand(KeyOf(9)));
        GuessSums sums = ledger.Close();

        Assert.False(ledger.TryAdd(GuessOf(20, 10))); // the boot is over
        Assert.Equal(new GuessSums(Demanded: 3, Guessed: 3, Asked: 2, BytesInVain: 10), sums);
        Assert.Equal((1, 1, 1), (Count(GuessOutcome.Before), Count(GuessOutcome.UnderWay), Count(GuessOutcome.InVain)));
    }

    [Fact]
    public void Has_WhatWasGuessedOrAskedFor_AndNothingElse()
    {
        GuessLedger ledger = new(new GuessLimits(), _counters);
        ledger.Demand(KeyOf(1));
        ledger.TryAdd(GuessOf(2, 10));

        Assert.Equal([false, true, true], Enumerable.Range(0, 3).Select(i => ledger.Has(KeyOf(i))));
    }

    [Fact]
    public void TryAdd_WhatWasGuessedOrAskedFor_IsRefused()
    {
        GuessLedger ledger = new(new GuessLimits(), _counters);
        ledger.Demand(KeyOf(1));
        Assert.True(ledger.TryAdd(GuessOf(2, 1)));

        Assert.False(ledger.TryAdd(GuessOf(1, 1)));
        Assert.False(ledger.TryAdd(GuessOf(2, 1)));
    }

    /// <summary>Guesses that come to nothing end by themselves; those that are right go on.</summary>
    [Theory]
    [InlineData(1, 256)]
    [InlineData(1 << 20, 16)]
    public void TryAdd_WhileNobodyAsks_EndsAtTheBoundAndGoesOnWithWhatIsAsked(long bytes, int most)
    {
        GuessLedger ledger = new(new GuessLimits(), _counters);
        int added = Enumerable.Range(0, 1000).Count(i => ledger.TryAdd(GuessOf(i, bytes)));
        Assert.Equal(most, added);

        ledger.Demand(KeyOf(0));

        Assert.True(ledger.TryAdd(GuessOf(2000, bytes)));
        Assert.True(ledger.TryAdd(GuessOf(2001, bytes)));
        Assert.False(ledger.TryAdd(GuessOf(2002, bytes)));
    }

    [Fact]
    public void Ledger_FilledByRightGuesses_IsBounded()
    {
        GuessLimits limits = new() { Objects = 50 };
        GuessLedger ledger = new(limits, _counters);
        for (int i = 0; i < 1000; i++)
        {
            ledger.TryAdd(GuessOf(i, 1));
            ledger.Demand(KeyOf(i));
        }

        GuessSums sums = ledger.Close();
        Assert.Equal((limits.Objects, limits.Objects), (sums.Guessed, sums.Demanded));
        Assert.False(ledger.TryAdd(GuessOf(5000, 1)));
    }

    /// <summary>Sizes are the publisher's words: an object of a byte that has a MiB counts as what came.</summary>
    [Fact]
    public void TryAdd_ObjectsLargerThanTheirCatalogSays_CountAsWhatCame()
    {
        GuessLedger ledger = new(new GuessLimits(), _counters);
        int added = 0;
        for (; added < 1000 && ledger.TryAdd(GuessOf(added, 1)); added++)
        {
            ledger.Arrived(KeyOf(added), 1 << 20);
        }

        Assert.Equal(16, added);
        Assert.Equal(16L << 20, ledger.Close().BytesInVain);
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(long.MaxValue - 1)]
    [InlineData((16L << 20) + 1)]
    public void TryAdd_ASizeBeyondAllBounds_IsRefusedAndTheBoundStays(long bytes)
    {
        GuessLedger ledger = new(new GuessLimits(), _counters);
        Assert.True(ledger.TryAdd(GuessOf(0, 1)));

        Assert.False(ledger.TryAdd(GuessOf(1, bytes)));
        Assert.False(ledger.TryAdd(GuessOf(2, 16 << 20)));
        Assert.True(ledger.TryAdd(GuessOf(3, (16 << 20) - 1)));
    }

    /// <summary>A client and a publisher who work together: each object asked for is said to be as large as may be.</summary>
    [Fact]
    public void TryAdd_SizesThatGrowWithWhatIsAskedFor_AreBounded()
    {
        GuessLimits limits = new();
        GuessLedger ledger = new(limits, _counters);
        long largest = 0;
        for (int i = 0; i < 100; i++)
        {
            long bytes = limits.UnaskedBytes << Math.Min(i, 30);
            largest = ledger.TryAdd(GuessOf(i, bytes)) ? bytes : largest;
            ledger.Demand(KeyOf(i));
        }

        Assert.InRange(largest, limits.UnaskedBytes, limits.UnaskedBytes + limits.BytesInVain);
    }

    private long Count(GuessOutcome outcome) => _counters.Of(GuessRule.Neighbour, outcome);

    private static Guess GuessOf(int i, long bytes) => new(KeyOf(i), bytes, GuessRule.Neighbour);

    private static ObjectKey KeyOf(int i)
    {
        byte[] digest = new byte[ObjectKey.DigestSizeBytes];
        BitConverter.TryWriteBytes(digest, i);
        return new ObjectKey(digest, DigestAlgorithm.Sha1, 0);
    }
}

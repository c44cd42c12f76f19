using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Cluster;

/// <summary>Rounds of probes out of turn: one at a time, and four between two ordinary ones at most.</summary>
public sealed class NodeRoundsTests : IDisposable
{
    private readonly TestSite _site = new();

    private TimeSpan Gap => _site.Options.ProbeInterval / 4;

    public void Dispose() => _site.Dispose();

    [Fact]
    public async Task Begin_WhileOneIsUnderWay_IsFollowedByOneMore()
    {
        var counted = new CountedRounds(_site);
        var lasting = new TaskCompletionSource();
        counted.Lasts = lasting.Task;
        counted.Rounds.Begin();
        await Waiting.UntilAsync(() => counted.Begun.Count == 1);
        for (int i = 0; i < 10; i++)
        {
            counted.Rounds.Begin();
        }

        lasting.SetResult();
        await AdvanceUntilAsync(() => counted.Begun.Count == 2);
        await AdvanceUntilAsync(() => !counted.Rounds.IsUnderWay);
        counted.Rounds.Begin();
        await Waiting.UntilAsync(() => counted.Begun.Count == 3);

        Assert.True(counted.Begun[1] - counted.Begun[0] >= Gap);
    }

    /// <summary>However often it is asked for.</summary>
    [Fact]
    public async Task Begin_AgainAndAgain_IsFourInTheTimeOfOneAtMost()
    {
        var counted = new CountedRounds(_site);
        await AdvanceUntilAsync(() =>
        {
            counted.Rounds.Begin();
            return counted.Begun.Count == 5;
        });

        Assert.All(counted.Begun.Zip(counted.Begun.Skip(1)), two => Assert.True(two.Second - two.First >= Gap));
    }

    [Fact]
    public async Task Begin_BeforeThereAreNodes_AsksNobodyAndEnds()
    {
        var counted = new CountedRounds(_site, hasNodes: false);
        counted.Rounds.Begin();
        await AdvanceUntilAsync(() => !counted.Rounds.IsUnderWay);
        Assert.Empty(counted.Begun);
    }

    private Task AdvanceUntilAsync(Func<bool> holds) => Waiting.UntilAsync(() =>
    {
        _site.Time.Advance(Gap / 8);
        return holds();
    });
}

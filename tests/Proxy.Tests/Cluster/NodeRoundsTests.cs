using System.Globalization;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Cluster;

/// <summary>Rounds of probes out of turn: one at a time, and with a pause after each.</summary>
public sealed class NodeRoundsTests : IDisposable
{
    private readonly TestSite _site = new();

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
        await AdvanceUntilAsync(counted, () => counted.Begun.Count == 2);
        await AdvanceUntilAsync(counted, () => !counted.Rounds.IsUnderWay);
        counted.Rounds.Begin();
        await Waiting.UntilAsync(() => counted.Begun.Count == 3);

        Assert.True(counted.Begun[1] - counted.Begun[0] >= counted.Rounds.Gap);
    }

    /// <summary>However often it is asked for, and however seldom or often the nodes are asked in turn.</summary>
    [Theory]
    [InlineData("00:01:00", "00:00:00.5")]
    [InlineData("00:00:02", "00:00:00.5")]
    [InlineData("00:00:00.2", "00:00:00.05")]
    public async Task Begin_AgainAndAgain_PausesAfterEach(string interval, string gap)
    {
        _site.Options.ProbeInterval = TimeSpan.Parse(interval, CultureInfo.InvariantCulture);
        var counted = new CountedRounds(_site);
        Assert.Equal(TimeSpan.Parse(gap, CultureInfo.InvariantCulture), counted.Rounds.Gap);
        await AdvanceUntilAsync(counted, () =>
        {
            counted.Rounds.Begin();
            return counted.Begun.Count == 5;
        });

        Assert.All(counted.Begun.Zip(counted.Begun.Skip(1)), two => Assert.True(two.Second - two.First >= counted.Rounds.Gap));
    }

    [Fact]
    public async Task Begin_BeforeThereAreNodes_AsksNobodyAndEnds()
    {
        var counted = new CountedRounds(_site, hasNodes: false);
        counted.Rounds.Begin();
        await AdvanceUntilAsync(counted, () => !counted.Rounds.IsUnderWay);
        Assert.Empty(counted.Begun);
    }

    private Task AdvanceUntilAsync(CountedRounds counted, Func<bool> holds) => Waiting.UntilAsync(() =>
    {
        _site.Time.Advance(counted.Rounds.Gap / 8);
        return holds();
    });
}

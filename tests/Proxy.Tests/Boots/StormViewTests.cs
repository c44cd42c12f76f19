using System.Net;
using Breakwater.Proxy.Boots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Boots;

/// <summary>What is worked out of the boots of a storm, to the millisecond.</summary>
public sealed class StormViewTests
{
    private static readonly DateTimeOffset s_began = DateTimeOffset.UnixEpoch.AddDays(20_000);

    [Fact]
    public void Of_ManyBoots_IsCountedAndRanked()
    {
        BootLine[] boots =
        [
            .. Enumerable.Range(1, 200).Reverse().Select(i => Line(after: i, lastsMs: i, BootState.Done)),
            Line(after: 50, lastsMs: 5, BootState.Booting, refused: 3),     // the last to begin of those that go on
            Line(after: 30, lastsMs: 7, BootState.Booting, refused: 2),
            Line(after: 250, lastsMs: 9_000, BootState.Stopped, refused: 4),
        ];

        var storm = StormView.Of(7, boots, isOpen: false);

        Assert.Equal((7, 203, 2, 200, 1), (storm.Id, storm.Boots, storm.Booting, storm.Done, storm.Stopped));
        Assert.Equal((101, 199, 200), (storm.MedianMs, storm.P99Ms, storm.MaxMs));
        Assert.Equal(s_began.AddSeconds(1), storm.StartedAt);
        Assert.Equal(s_began.AddSeconds(50).AddMilliseconds(181), storm.EstimatedEnd);      // nine tenths took less
        Assert.Equal((249_000 + 9_000, 9, true), (storm.DurationMs, storm.Refused, storm.IsRunning));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Of_OneBootThatIsDone_IsItsOwnMedianAndRunsWhileOthersMayFollow(bool isOpen)
    {
        var storm = StormView.Of(1, [Line(after: 0, lastsMs: 40, BootState.Done)], isOpen);

        Assert.Equal((40, 40, 40, 40), (storm.MedianMs, storm.P99Ms, storm.MaxMs, storm.DurationMs));
        Assert.Equal((null, isOpen), (storm.EstimatedEnd, storm.IsRunning));
    }

    [Fact]
    public void Of_TheLastOneThatBoots_EstimatesItsEnd()
    {
        var storm = StormView.Of(1, [Line(0, 40, BootState.Done), Line(10, 5, BootState.Booting)], isOpen: false);

        Assert.Equal((1, s_began.AddSeconds(10).AddMilliseconds(40), true), (storm.Booting, storm.EstimatedEnd!.Value, storm.IsRunning));
    }

    [Fact]
    public void Of_NoneThatIsDone_EstimatesNothing()
    {
        var storm = StormView.Of(1, [Line(after: 0, lastsMs: 40, BootState.Booting)], isOpen: true);

        Assert.Equal((null, null, null, null), (storm.MedianMs, storm.P99Ms, storm.MaxMs, storm.EstimatedEnd));
        Assert.Equal((1, 0, 0, 40), (storm.Booting, storm.Done, storm.Stopped, storm.DurationMs));
        Assert.Same(StormView.None, StormView.Of(1, [], isOpen: true));
    }

    private static BootLine Line(double after, double lastsMs, BootState state, int refused = 0) => new(
        1, 1, IPAddress.Loopback, "127.0.0.1", Fqrn.Parse("a.example.org"), s_began.AddSeconds(after), lastsMs, 1, 1, refused, 1, state);
}

using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Commands;

namespace Breakwater.Proxy.Tests.Commands;

public class TopBootsTests
{
    private static readonly DateTimeOffset s_began = DateTimeOffset.UnixEpoch.AddDays(20_000);

    [Theory]
    [InlineData(0, 48_000, "w570j380u50", "wwwwwwwwwwwwwwwwwwwwwwwwwwwjjjjjjjjjjjjjjjjjjuu")]
    [InlineData(24_000, 24_000, "m500w500", "                        mmmmmmmmmmmmwwwwwwwwwwww")]
    [InlineData(47_999, 1, "x1000", "                                               x")]
    [InlineData(0, 1, "w1000", "w")]
    public void Line_OfABoot_HasItsPlaceAndItsShares(double afterMs, double durationMs, string bar, string line)
    {
        var storm = new StormView(0, 1, 0, s_began, null, null, null) { DurationMs = 48_000 };
        var boot = new BootView(1, "10.0.0.1", "a.example.org", s_began.AddMilliseconds(afterMs), durationMs, 1, 1, 1, BootState.Done, bar,
            0, 0, 0, 0);

        Assert.Equal(line, TopBoots.Line(storm, boot).PadRight(line.Length)[..line.Length]);
        Assert.InRange(TopBoots.Line(storm, boot).Length, 1, TopBoots.Columns);
    }
}

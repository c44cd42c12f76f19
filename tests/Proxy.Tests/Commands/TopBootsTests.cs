using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Commands;
using Spectre.Console;

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

    // 16: each bar was 48 columns wide, and wrapped onto a second line of a terminal of 80.
    [Theory]
    [InlineData(60)]
    [InlineData(79)]
    [InlineData(100)]
    [InlineData(200)]
    public void Screen_InATerminal_FitsItsLines(int width)
    {
        var storm = new StormView(0, 1, 0, s_began, null, null, null) { DurationMs = 48_000 };
        BootView Boot(int id, double durationMs, BootState state) => new(id, $"10.0.10.{id}", "atlas.cern.ch", s_began, durationMs, 100, 1,
            1, state, "m1000", 0, 0, 0, 0);
        BootPage page = new(storm, 2, 0, [Boot(1, 48_000, BootState.Done), Boot(2, 100, BootState.Stopped)]);
        Table table = TopBoots.Screen(page, width);
        using var text = new StringWriter { NewLine = "\n" };
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = width;

        console.Write(table);

        string[] lines = text.ToString().TrimEnd('\n').Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.Contains("atlas.cern.ch", lines[1], StringComparison.Ordinal);
        Assert.InRange(lines[1].Count(c => c == '█'), 8, TopBoots.Columns);
        Assert.All(lines, line => Assert.InRange(line.Length, 1, width));
    }
}

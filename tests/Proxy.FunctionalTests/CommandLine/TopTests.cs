namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary><c>breakwater top</c> as an operator sees it.</summary>
public sealed class TopTests(RunningBreakwater breakwater) : IClassFixture<RunningBreakwater>
{
    [Fact]
    public async Task Top_TerminalIsMadeSmaller_FitsItAgainAndQLeaves()
    {
        await using Terminal terminal = Terminal.Start(breakwater.Settings, 40, 120, "top");
        await terminal.ScreenAsync(lines => lines[0].Contains("requests/s", StringComparison.Ordinal)
            && lines.Any(l => l.StartsWith("health", StringComparison.Ordinal)));

        await terminal.ResizeAsync(9, 50);
        string[] small = await terminal.ScreenAsync(lines => lines.Length == 9);
        Assert.All(small, line => Assert.InRange(line.Length, 0, 49));
        await terminal.ResizeAsync(40, 120);
        await terminal.ScreenAsync(lines => lines.Length > 9);

        await terminal.TypeAsync("q");
        Assert.Equal(0, await terminal.EndAsync());
        AssertTerminalIsAsBefore(terminal);
    }

    [Fact]
    public async Task Top_CtrlC_LeavesTheTerminalAsItWas()
    {
        await using Terminal terminal = Terminal.Start(breakwater.Settings, 40, 120, "top");
        await terminal.ScreenAsync(_ => true);

        await terminal.TypeAsync("\x03");

        Assert.Equal(130, await terminal.EndAsync());
        AssertTerminalIsAsBefore(terminal);
    }

    [Fact]
    public async Task Top_ServerGoesAwayAndComesBack_SaysSoAndGoesOn()
    {
        var own = new RunningBreakwater();
        await own.InitializeAsync();
        try
        {
            await using Terminal terminal = Terminal.Start(own.Settings, 40, 120, "top");
            await terminal.ScreenAsync(lines => lines[0].Contains("requests/s", StringComparison.Ordinal));

            await own.StopAsync();
            string[] gone = await terminal.ScreenAsync(lines => lines[0].StartsWith("No answer since ", StringComparison.Ordinal));
            Assert.Contains(gone, line => line.StartsWith("health", StringComparison.Ordinal));

            await own.StartAsync();
            string[] back = await terminal.ScreenAsync(lines => lines[0].Contains("requests/s", StringComparison.Ordinal));
            Assert.DoesNotContain("-", back[0], StringComparison.Ordinal);
            await terminal.TypeAsync("q");
            Assert.Equal(0, await terminal.EndAsync());
        }
        finally
        {
            await own.DisposeAsync();
        }
    }

    private static void AssertTerminalIsAsBefore(Terminal terminal) =>
        Assert.EndsWith("\e[?25h\e[?1049l", terminal.Output.TrimEnd(), StringComparison.Ordinal);
}

using Breakwater.Proxy.Commands.Seed;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.TestSupport;
using Spectre.Console;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>What people see of seeds.</summary>
public sealed class SeedViewTests
{
    private static readonly DateTimeOffset s_now = new(2026, 12, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly SeedIndex s_index = new()
    {
        Format = SeedIndex.CurrentFormat,
        Name = "lab",
        Repositories =
        [
            new SeedRepository("a.example.org", 7, s_now.AddDays(2.9),
                [new SeedSnapshot("", 7, "", "all", true), new SeedSnapshot("v1", 5, "", "working set boot", false)]),
            new SeedRepository("b.example.org", 9, s_now, []),
        ],
        Documents = [],
        Objects = 12,
        ObjectBytes = 3_456_789,
        Links = 3,
        Inherited = 4,
        Contents = "",
    };

    [Theory]
    [InlineData(0, "0.0 KB")]
    [InlineData(1_500, "1.5 KB")]
    [InlineData(999_940, "999.9 KB")]
    [InlineData(1_000_000, "1.0 MB")]
    [InlineData(999_940_000, "999.9 MB")]
    [InlineData(1_000_000_000, "1.0 GB")]
    [InlineData(12_340_000_000, "12.3 GB")]
    public void Size_OfBytes_IsInPowersOfAThousand(long bytes, string text) => Assert.Equal(text, SeedView.Size(bytes));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Show_OfABundle_HasALineASnapshotWhereItBelongs(bool toError)
    {
        using var console = new CapturedConsole();

        SeedView.Show(s_index, s_now, toError);

        Assert.Equal("", toError ? console.Output : console.Error);
        string[] lines = (toError ? console.Error : console.Output).TrimEnd('\n').Split('\n');
        Assert.Equal("lab: 12 objects, 3.5 MB; 3 shared between repositories; 4 inherited from an earlier bundle", lines[^1]);
        Assert.Equal(
            [
                "repository boots revision scope whitelist",
                "a.example.org trunk 7 all 2 days left",
                "a.example.org v1 5 working set boot 2 days left",
                "b.example.org (renews the whitelist) 9 expired: reboots only",
            ],
            Cells(lines));
    }

    [Fact]
    public void Show_OfTheSeedsOfAStore_HasALineARepository()
    {
        using var console = new CapturedConsole();

        SeedView.Show([new SeedRecord("lab", "", s_now, 12, 3_456,
            [
                new SeedRecordRepository("a.example.org", 7, true, s_now.AddSeconds(1), s_index.Repositories[0].Snapshots),
                new SeedRecordRepository("b.example.org", 9, false, s_now.AddDays(10), []),
            ])], s_now);

        Assert.Equal(
            [
                "seed repository boots objects whitelist",
                "lab a.example.org trunk, v1 12 0 days left",
                "lab b.example.org (unverified) 12 10 days left",
            ],
            Cells(console.Output.Split('\n')));
    }

    [Fact]
    public void Show_OfAnImport_HasItsWarningsOnStandardError()
    {
        var result = new SeedImportResult(new SeedRecord("lab", "", s_now, 12, 3_456, []), 5, ["One.", "Two."]);
        using (var console = new CapturedConsole())
        {
            SeedView.Show(result, asJson: false);
            Assert.Equal("Seed lab is in: 12 objects, 5 of them new, all verified and pinned.\n", console.Output);
            Assert.Equal("Note: One.\nNote: Two.\n", console.Error);
        }

        using (var console = new CapturedConsole())
        {
            SeedView.Show(result, asJson: true);
            Assert.Equal(5, System.Text.Json.JsonElement.Parse(console.Output).GetProperty("newObjects").GetInt32());
            Assert.Equal("", console.Error);
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Progress_WithoutATerminal_ShowsNothing(bool isInteractive, bool hasAnsi)
    {
        var shown = new StringWriter();

        Assert.Equal(7, await SeedView.ProgressAsync(Terminal(shown, isInteractive, hasAnsi), "Importing", progress =>
        {
            Assert.Null(progress);
            return Task.FromResult(7);
        }));
        Assert.Equal("", shown.ToString());
    }

    [Theory]
    [InlineData(3, 12, "25%")]
    [InlineData(0, 0, "0%")]
    [InlineData(1, 1, "100%")]
    public async Task Progress_OnATerminal_ShowsHowManyOfAll(int objects, int total, string share)
    {
        var shown = new StringWriter();

        Assert.Equal(7, await SeedView.ProgressAsync(Terminal(shown, true, true), "Importing [lab]", progress =>
        {
            progress!.Report(new SeedProgress(objects, total, 1_500, 0));
            return Task.FromResult(7);
        }));

        Assert.Contains($"Importing [lab] {objects} objects, 1.5 KB", shown.ToString(), StringComparison.Ordinal);
        Assert.Contains($" {share}", shown.ToString(), StringComparison.Ordinal);
    }

    private static IAnsiConsole Terminal(TextWriter shown, bool isInteractive, bool hasAnsi)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = hasAnsi ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = isInteractive ? InteractionSupport.Yes : InteractionSupport.No,
            Out = new AnsiConsoleOutput(shown),
        });
        console.Profile.Width = 120;
        return console;
    }

    /// <summary>What stands between the lines of a table, with one blank between columns.</summary>
    private static IEnumerable<string> Cells(IEnumerable<string> lines) => lines
        .Where(line => line.StartsWith('│') || line.StartsWith('|'))
        .Select(line => string.Join(' ', line.Split([' ', '│', '|'], StringSplitOptions.RemoveEmptyEntries)));
}

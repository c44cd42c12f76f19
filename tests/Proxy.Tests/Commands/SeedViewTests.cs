using Breakwater.Proxy.Commands.Seed;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.TestSupport;

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

    /// <summary>What stands between the lines of a table, with one blank between columns.</summary>
    private static IEnumerable<string> Cells(IEnumerable<string> lines) => lines
        .Where(line => line.StartsWith('│') || line.StartsWith('|'))
        .Select(line => string.Join(' ', line.Split([' ', '│', '|'], StringSplitOptions.RemoveEmptyEntries)));
}

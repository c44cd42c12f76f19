using System.Globalization;
using System.Text;
using Breakwater.Proxy.Boots;
using Spectre.Console;

namespace Breakwater.Proxy.Commands;

/// <summary>The boots of a storm on a terminal, all on one time axis. Pure.</summary>
internal static class TopBoots
{
    /// <summary>Characters of the time axis where there is room.</summary>
    public const int Columns = 48;

    /// <summary>Fewest: what is narrower shows nothing.</summary>
    private const int MinColumns = 8;

    /// <summary>Blanks between columns, with those at the end.</summary>
    private const int Between = 2;

    /// <summary>The table.</summary>
    /// <param name="page">The boots.</param>
    /// <param name="width">Characters of a line of the terminal.</param>
    public static Table Screen(BootPage page, int width = int.MaxValue)
    {
        int columns = ColumnsIn(page, width);
        string axis = string.Create(CultureInfo.InvariantCulture, $"one line, one clock: {Seconds(page.Storm.DurationMs)}");
        axis = axis.Length <= columns ? axis : Seconds(page.Storm.DurationMs);
        Table table = new Table().Border(TableBorder.None).AddColumns(
            new TableColumn(Heading(page)).NoWrap(), new TableColumn(axis).NoWrap(), new TableColumn("").NoWrap(),
            new TableColumn("requests").NoWrap(), new TableColumn("repository").NoWrap());
        foreach (BootView boot in page.Boots)
        {
            table.AddRow(
                new Text(boot.Client),
                new Markup(Coloured(Line(page.Storm, boot, columns))),
                new Markup(boot.State switch
                {
                    BootState.Stopped => "[red]stopped[/]",
                    BootState.Booting => "booting",
                    _ => Seconds(boot.DurationMs),
                }),
                new Text(boot.Requests.ToString(CultureInfo.InvariantCulture)),
                new Text(boot.Repository ?? ""));
        }

        return table;
    }

    private static string Heading(BootPage page) => string.Create(CultureInfo.InvariantCulture, $"boots ({page.Matched})");

    /// <summary>What the other columns leave of a line.</summary>
    private static int ColumnsIn(BootPage page, int width)
    {
        int client = page.Boots.Select(boot => boot.Client.Length).Append(Heading(page).Length).Max();
        int repository = page.Boots.Select(boot => boot.Repository?.Length ?? 0).Append("repository".Length).Max();
        return Math.Clamp(width - client - "stopped".Length - "requests".Length - repository - (5 * Between), MinColumns, Columns);
    }

    /// <summary>
    /// A letter of <see cref="BootBar.Letters"/> a column; spaces before the boot's begin. The number of each is its share of the time.
    /// </summary>
    /// <param name="storm">The storm, whose time is the axis.</param>
    /// <param name="boot">The boot.</param>
    /// <param name="columns">Characters of the axis.</param>
    internal static string Line(StormView storm, BootView boot, int columns = Columns)
    {
        double whole = Math.Max(storm.DurationMs, 1);
        double before = storm.StartedAt is { } started ? (boot.StartedAt - started).TotalMilliseconds : 0;
        int from = (int)Math.Clamp(before / whole * columns, 0, columns - 1);
        int length = (int)Math.Clamp(Math.Round(boot.DurationMs / whole * columns), 1, columns - from);
        var line = new StringBuilder(new string(' ', from), columns);
        Span<double> owed = stackalloc double[BootBar.Letters.Length];
        foreach ((char letter, int units) in BootBar.Read(boot.Bar))
        {
            int use = BootBar.Letters.IndexOf(letter, StringComparison.Ordinal);
            owed[use] += (double)units * length / BootBar.Units;
            for (; owed[use] >= 0.5 && line.Length < from + length; owed[use]--)
            {
                line.Append(letter);
            }
        }

        return line.ToString();
    }

    private static string Coloured(string line)
    {
        var markup = new StringBuilder();
        foreach (char letter in line)
        {
            markup.Append(letter switch
            {
                'm' => "[green]█[/]",
                'd' => "[blue]█[/]",
                'j' => "[yellow]█[/]",
                'u' => "[red]█[/]",
                'x' => "[purple]█[/]",
                'w' => "[grey]░[/]",
                _ => " ",
            });
        }

        return markup.ToString();
    }

    private static string Seconds(double milliseconds) => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000:0.0} s");
}

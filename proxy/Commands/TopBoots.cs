using System.Globalization;
using System.Text;
using Breakwater.Proxy.Boots;
using Spectre.Console;

namespace Breakwater.Proxy.Commands;

/// <summary>The boots of a storm on a terminal, all on one time axis. Pure.</summary>
internal static class TopBoots
{
    /// <summary>Characters of the time axis.</summary>
    public const int Columns = 48;

    /// <summary>The table.</summary>
    public static Table Screen(BootPage page)
    {
        string axis = string.Create(CultureInfo.InvariantCulture, $"one line, one clock: {Seconds(page.Storm.DurationMs)}");
        Table table = new Table().Border(TableBorder.None).AddColumns(
            string.Create(CultureInfo.InvariantCulture, $"boots ({page.Matched})"), axis, "", "requests", "repository");
        foreach (BootView boot in page.Boots)
        {
            table.AddRow(
                new Text(boot.Client),
                new Markup(Coloured(Line(page.Storm, boot))),
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

    /// <summary>
    /// A letter of <see cref="BootBar.Letters"/> a column; spaces before the boot's begin. The number of each is its share of the time.
    /// </summary>
    internal static string Line(StormView storm, BootView boot)
    {
        double whole = Math.Max(storm.DurationMs, 1);
        double before = storm.StartedAt is { } started ? (boot.StartedAt - started).TotalMilliseconds : 0;
        int from = (int)Math.Clamp(before / whole * Columns, 0, Columns - 1);
        int length = (int)Math.Clamp(Math.Round(boot.DurationMs / whole * Columns), 1, Columns - from);
        var line = new StringBuilder(new string(' ', from), Columns);
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

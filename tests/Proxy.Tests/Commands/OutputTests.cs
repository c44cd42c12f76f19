using Breakwater.Proxy.Commands;
using Spectre.Console;

namespace Breakwater.Proxy.Tests.Commands;

public class OutputTests
{
    // 15: output in a pipe was wrapped at 80 columns in the middle of words.
    [Fact]
    public void Plain_LongLine_IsOneLineWithoutColoursAndTrailingBlanks()
    {
        string word = new('x', 500);
        Table table = new Table().Border(TableBorder.None).HideHeaders().AddColumns("", "")
            .AddRow(new Markup("[red]a[/]"), new Text($"{word} {word}"))
            .AddRow("long name", "y");

        string[] lines = Output.Plain(table).TrimEnd('\n').Split('\n');

        Assert.Equal([$"a         {word} {word}", "long name y"], lines.Select(line => line.TrimStart()));
        Assert.All(lines, line => Assert.Equal(line.TrimEnd(), line));
    }
}

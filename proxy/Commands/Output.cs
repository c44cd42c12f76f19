using System.CommandLine;
using System.Text.Json;
using Breakwater.Proxy.Admin;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Breakwater.Proxy.Commands;

/// <summary>What commands print: for people on a terminal, in lines of any length for programs, as JSON on demand.</summary>
internal static class Output
{
    /// <summary>Wider than any line: what is not a terminal has no width.</summary>
    private const int NoWidth = 1_000_000;

    /// <summary>On every command that prints facts.</summary>
    public static Option<bool> JsonOption() => new("--json") { Description = "Print JSON and nothing else on standard output" };

    /// <summary>Prints. What is no terminal gets no colours, and no line is broken.</summary>
    public static void Write(IRenderable content) => Write(content, Console.Out, Console.IsOutputRedirected, AnsiConsole.Console);

    /// <summary>Prints to standard error.</summary>
    /// <param name="content">What.</param>
    /// <param name="terminal">Standard error as a terminal.</param>
    public static void WriteError(IRenderable content, IAnsiConsole terminal) =>
        Write(content, Console.Error, Console.IsErrorRedirected, terminal);

    /// <summary>Prints a value as JSON, as the admin API writes it.</summary>
    public static void WriteJson<T>(T value) => Console.Out.WriteLine(JsonSerializer.Serialize(value, AdminServer.Json));

    /// <summary>As lines without width, colours and blanks at their ends.</summary>
    public static string Plain(IRenderable content)
    {
        using var text = new StringWriter { NewLine = "\n" };
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = NoWidth;
        console.Write(content);
        return string.Join('\n', text.ToString().Split('\n').Select(line => line.TrimEnd()));
    }

    private static void Write(IRenderable content, TextWriter plain, bool isRedirected, IAnsiConsole terminal)
    {
        if (isRedirected)
        {
            plain.Write(Plain(content));
        }
        else
        {
            terminal.Write(content);
        }
    }
}

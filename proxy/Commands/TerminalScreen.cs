using Spectre.Console;
using Spectre.Console.Rendering;

namespace Breakwater.Proxy.Commands;

/// <summary>
/// The whole terminal, drawn again and again, in the size that it has at the time. What stood there before comes back in the end. One
/// caller at a time.
/// </summary>
internal sealed class TerminalScreen : IDisposable
{
    private const string Enter = "\e[?1049h\e[?25l";
    private const string Leave = "\e[?25h\e[?1049l";
    private const string Home = "\e[H";
    private const string ClearLine = "\e[K";
    private const string ClearBelow = "\e[J";

    private readonly TextWriter _out;

    public TerminalScreen(TextWriter output)
    {
        _out = output;
        _out.Write(Enter);
    }

    /// <summary>Lines that fit at present.</summary>
    public static int Height => Math.Max(1, AnsiConsole.Profile.Height);

    /// <summary>
    /// Characters of a line at present. One column is left free: a line that fills the last one wraps on some terminals.
    /// </summary>
    public static int Width => Math.Max(20, AnsiConsole.Profile.Width - 1);

    /// <summary>Can the output be drawn on? Not when it is a file or a pipe, nor on a terminal without control codes.</summary>
    public static bool IsThere => !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi;

    /// <summary>Was q or Escape typed? Takes what was typed so far.</summary>
    public static bool WantsToLeave()
    {
        while (!Console.IsInputRedirected && Console.KeyAvailable)
        {
            if (Console.ReadKey(intercept: true).Key is ConsoleKey.Q or ConsoleKey.Escape)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Draws; what does not fit below is cut off.</summary>
    public void Draw(IRenderable content)
    {
        using var text = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = (ColorSystemSupport)AnsiConsole.Profile.Capabilities.ColorSystem,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });

        console.Profile.Width = Width;
        console.Write(content);
        string[] lines = text.ToString().TrimEnd('\n').Split('\n');
        _out.Write(Home + string.Join(ClearLine + "\r\n", lines.Take(Height)) + ClearLine + ClearBelow);
    }

    /// <inheritdoc/>
    public void Dispose() => _out.Write(Leave);
}

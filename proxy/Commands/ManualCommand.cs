using System.CommandLine;
using System.Text;
using Breakwater.Proxy.Observability;

namespace Breakwater.Proxy.Commands;

/// <summary><c>breakwater manual</c>: man pages, made from what the commands say of themselves, so that they never lag behind.</summary>
internal static class ManualCommand
{
    /// <summary>Makes the command for the command line's root.</summary>
    /// <param name="root">The commands that are described.</param>
    public static Command Create(RootCommand root)
    {
        var directory =
            new Argument<DirectoryInfo>("directory")
            {
                Description =
            "Where the pages go, such as /usr/local/share/man/man1; made when missing"
            };
        var command = new Command("manual", "Write the man pages: one for the program, one for each command.") { directory };
        command.SetAction(parsed => Write(root, parsed.GetRequiredValue(directory)));
        return command;
    }

    private static void Write(RootCommand root, DirectoryInfo directory)
    {
        directory.Create();
        File.WriteAllText(Path.Combine(directory.FullName, "breakwater.1"), Page(root, root));
        foreach (Command command in root.Subcommands.Where(command => !command.Hidden))
        {
            File.WriteAllText(Path.Combine(directory.FullName, $"breakwater-{command.Name}.1"), Page(command, root));
        }
    }

    private static string Page(Command command, RootCommand root)
    {
        string name = command is RootCommand ? "breakwater" : $"breakwater-{command.Name}";
        string said = command.Description ?? "";
        string first = FirstSentence(said);
        var page = new StringBuilder();
        page.Append($".TH {Text(name.ToUpperInvariant())} 1 \"\" \"Breakwater {Text(Telemetry.Version)}\" \"User Commands\"\n");
        page.Append($".SH NAME\n{Text(name)} \\- {Text(first.TrimEnd('.'))}\n");
        page.Append($".SH SYNOPSIS\n.B {Text(name.Replace('-', ' '))}\n{Synopsis(command)}\n");
        page.Append($".SH DESCRIPTION\n{Paragraphs(said)}");
        Describe(page, command, heading: ".SH");
        page.Append(".SH EXIT STATUS\n");
        foreach ((int code, string meaning) in ExitCodes.Of(command))
        {
            page.Append(System.Globalization.CultureInfo.InvariantCulture, $".TP\n.B {code}\n{Text(meaning)}\n");
        }

        page.Append(".SH FILES\n.TP\n.I /etc/breakwater/appsettings.json\nThe settings.\n.SH SEE ALSO\n");
        page.Append(string.Join(",\n", root.Subcommands.Where(other => other != command && !other.Hidden)
            .Select(other => $".BR breakwater\\-{Text(other.Name)} (1)").Prepend(command is RootCommand ? "" : ".BR breakwater (1)")
            .Where(line => line.Length > 0)).Replace(",\n", " ,\n", StringComparison.Ordinal));
        return page.Append('\n').ToString();
    }

    private static void Describe(StringBuilder page, Command command, string heading)
    {
        Symbol[] operands = [.. command.Arguments.Where(argument => !argument.Hidden)];
        Option[] options = [.. command.Options.Where(option => !option.Hidden)];
        if (operands.Length > 0)
        {
            page.Append($"{heading} ARGUMENTS\n");
            foreach (Symbol operand in operands)
            {
                page.Append($".TP\n.I {Text(operand.Name)}\n{Text(operand.Description ?? "")}\n");
            }
        }

        if (options.Length > 0)
        {
            page.Append($"{heading} OPTIONS\n");
            foreach (Option option in options)
            {
                string names = string.Join(", ", option.Aliases.Prepend(option.Name).Select(Text));
                string value = option.HelpName is { } help ? " " + Text(help) : "";
                page.Append($".TP\n.B {names}{value}\n{Text(option.Description ?? "")}\n");
            }
        }

        foreach (Command sub in command.Subcommands.Where(sub => !sub.Hidden && command is not RootCommand))
        {
            page.Append($".SH {Text($"breakwater {command.Name} {sub.Name}".ToUpperInvariant())}\n{Paragraphs(sub.Description ?? "")}");
            Describe(page, sub, heading: ".SS");
        }

        if (command is RootCommand)
        {
            page.Append(".SH COMMANDS\n");
            foreach (Command sub in command.Subcommands.Where(sub => !sub.Hidden))
            {
                page.Append($".TP\n.B {Text(sub.Name)}\n{Text(FirstSentence(sub.Description ?? ""))}\n");
            }
        }
    }

    private static string Synopsis(Command command) => Text(string.Join(' ', (string[])[
        .. command.Subcommands.Count > 0 ? ["COMMAND"] : Array.Empty<string>(),
        .. command.Arguments.Select(argument => argument.Arity.MinimumNumberOfValues == 0 ? $"[{argument.Name}]" : argument.Name),
        "[OPTION]..."]));

    private static string Paragraphs(string text) => string.Join(
        ".PP\n", text.ReplaceLineEndings("\n").Split("\n\n").Select(part => Text(part.Replace('\n', ' ')) + "\n"));

    private static string FirstSentence(string text)
    {
        string line = text.ReplaceLineEndings(" ");
        int end = line.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? line : line[..(end + 1)];
    }

    /// <summary>
    /// Nothing in it means something to troff: backslashes, hyphens of options, a dot or quote at the beginning of a line.
    /// </summary>
    private static string Text(string text)
    {
        string plain = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal)
            .Replace("…", "...", StringComparison.Ordinal).Replace("→", "\\->", StringComparison.Ordinal);
        return plain.StartsWith('.') || plain.StartsWith('\'') ? "\\&" + plain : plain;
    }
}

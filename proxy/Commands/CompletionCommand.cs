using System.CommandLine;

namespace Breakwater.Proxy.Commands;

/// <summary>
/// <c>breakwater completion</c>: a script for the shell; the words come from the program itself, so they never lag behind.
/// </summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _breakwater() {
          local IFS=$'\n'
          COMPREPLY=($(compgen -W "$(breakwater "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _breakwater breakwater

        """;

    private const string Zsh = """
        #compdef breakwater
        _breakwater() { local -a words; words=(${(f)"$(breakwater "[suggest:${#BUFFER}]" "$BUFFER" 2>/dev/null)"}); compadd -a words }
        compdef _breakwater breakwater

        """;

    private const string Fish = """
        complete -c breakwater -f -a '(breakwater "[suggest:"(string length -- (commandline -cp))"]" (commandline -cp) 2>/dev/null)'

        """;

    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create()
    {
        Argument<string> shell = new("shell") { Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command =
            new Command("completion",
            "Print a completion script. For bash: breakwater completion bash > /etc/bash_completion.d/breakwater") { shell };
        command.SetAction(parsed => Console.Out.Write(parsed.GetValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish }));
        return command;
    }
}

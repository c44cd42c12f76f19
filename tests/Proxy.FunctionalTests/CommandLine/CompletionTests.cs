using System.Diagnostics;
using Breakwater.Proxy.Commands.Demo;

namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary>The shell completes as the printed script says, in a real bash.</summary>
public sealed class CompletionTests
{
    /// <summary>
    /// Loads the script and presses Tab at the end of the line in <c>$1</c>; the command itself is in the arguments after it.
    /// </summary>
    private const string PressTab = """
        line=$1; shift; own=("$@")
        breakwater() { "${own[@]}" "$@"; }
        eval "$(breakwater completion bash)"
        COMP_LINE=$line COMP_POINT=${#line}
        read -ra COMP_WORDS <<< "$line"
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        $(complete -p breakwater | sed 's/.*-F \([^ ]*\) .*/\1/')
        echo "${COMPREPLY[@]}"
        """;

    [Theory]
    [InlineData("breakwater doc", "doctor")]
    [InlineData("breakwater se", "seed serve settings")]
    [InlineData("breakwater status --j", "--json")]
    [InlineData("breakwater completion z", "zsh")]
    public async Task Bash_HalfAWord_ItsCompletions(string line, string expected)
    {
        ProcessStartInfo own = ProxyProcess.OwnExecutable();
        var bash = new ProcessStartInfo("bash");
        foreach (string argument in (string[])["-c", PressTab, "bash", line, own.FileName, .. own.ArgumentList])
        {
            bash.ArgumentList.Add(argument);
        }

        CommandResult result = await BreakwaterCommand.RunAsync(bash);

        Assert.Equal(expected, string.Join(' ', result.Output.Trim().Split(' ').Order(StringComparer.Ordinal)));
    }

    [Theory]
    [InlineData("zsh", "#compdef breakwater")]
    [InlineData("fish", "complete -c breakwater")]
    public async Task OtherShells_AScript(string shell, string expected)
    {
        CommandResult result = await BreakwaterCommand.RunAsync(BreakwaterCommand.NoSettings, "completion", shell);

        Assert.Equal(0, result.ExitCode);
        Assert.StartsWith(expected, result.Output, StringComparison.Ordinal);
    }
}

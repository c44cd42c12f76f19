using System.CommandLine;
using Breakwater.Proxy.Commands;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests;

/// <summary>Runs a command of <c>breakwater</c> in this process, as its main program does: a process of its own takes a second.</summary>
internal static class CommandInProcess
{
    /// <summary>Runs it to its end.</summary>
    /// <param name="command">The command, with those below it.</param>
    /// <param name="words">What follows its name on the command line.</param>
    public static Task<CommandResult> RunAsync(Command command, params IEnumerable<string> words) =>
        RunAsync(command, CancellationToken.None, words);

    /// <summary>Runs it to its end.</summary>
    /// <param name="command">The command, with those below it.</param>
    /// <param name="told">A signal that ends it.</param>
    /// <param name="words">What follows its name on the command line.</param>
    public static async Task<CommandResult> RunAsync(Command command, CancellationToken told, params IEnumerable<string> words)
    {
        using var console = new CapturedConsole();
        int exitCode = await Failures.RunAsync(command.Parse([.. words]), told).InTimeAsync();
        return new CommandResult(exitCode, console.Output, console.Error);
    }
}

using System.CommandLine;
using Breakwater.Proxy.Commands;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>How a command ended that ran in this process, and what it wrote.</summary>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
    /// <summary>Runs a command as the main program does.</summary>
    public static async Task<CommandRun> OfAsync(Command command, params IEnumerable<string> words)
    {
        using var console = new CapturedConsole();
        int exitCode = await Failures.RunAsync(command.Parse([.. words]), CancellationToken.None).InTimeAsync();
        return new CommandRun(exitCode, console.Output, console.Error);
    }
}

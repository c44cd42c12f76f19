using System.Diagnostics;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests;

/// <summary>Runs <c>breakwater</c> as a user does: a process of its own.</summary>
internal static class BreakwaterCommand
{
    /// <summary>None but those that are shipped.</summary>
    public static readonly IReadOnlyDictionary<string, string> NoSettings = new Dictionary<string, string>();

    /// <summary>Runs it to its end.</summary>
    /// <param name="settings">Environment variables, such as <c>Store__Path</c>.</param>
    /// <param name="arguments">The command line.</param>
    public static Task<CommandResult> RunAsync(IReadOnlyDictionary<string, string> settings, params IEnumerable<string> arguments)
    {
        ProcessStartInfo start = ProxyProcess.OwnExecutable();
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach ((string name, string value) in settings)
        {
            start.Environment[name] = value;
        }

        return RunAsync(start);
    }

    /// <summary>
    /// Longest that a command may run: a demo starts servers and boots machines, and has taken a minute on a busy machine.
    /// </summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    /// <summary>Runs any process to its end.</summary>
    public static async Task<CommandResult> RunAsync(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        try
        {
            string what = $"the end of {start.FileName} {string.Join(' ', start.ArgumentList)}";
            await process.WaitForExitAsync().InTimeAsync(s_patience, what);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }

        return new CommandResult(process.ExitCode, await output, await error);
    }
}

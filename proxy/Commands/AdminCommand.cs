using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands;

/// <summary>What commands that talk to the running Breakwater share.</summary>
internal static class AdminCommand
{
    /// <summary>
    /// Runs a command against the running Breakwater that the settings name. What goes wrong is told by <see cref="Failures"/>.
    /// </summary>
    /// <param name="settingsFile">Value of <see cref="SettingsFile.Option"/>.</param>
    /// <param name="run">The command; its result is the exit code.</param>
    /// <param name="cancellationToken">Ctrl+C.</param>
    public static async Task<int> RunAsync(
        FileInfo? settingsFile, Func<AdminClient, CancellationToken, Task<int>> run, CancellationToken cancellationToken)
    {
        try
        {
            using var client = new AdminClient(OnDisk.Read(settingsFile).Settings);
            return await run(client, cancellationToken);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return Failures.Tell(e);
        }
    }

    /// <summary>Runs what acts on something by its name. That there is none is said, and is no refusal.</summary>
    /// <param name="act">Asks the running Breakwater; its result is the exit code.</param>
    public static async Task<int> OnNamedAsync(Func<Task<int>> act)
    {
        try
        {
            return await act();
        }
        catch (AdminException e) when (e.Status == System.Net.HttpStatusCode.NotFound)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return ExitCodes.Found;
        }
    }
}

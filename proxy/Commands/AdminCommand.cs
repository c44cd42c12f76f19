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
            using var client = new AdminClient(SettingsFile.Read(settingsFile).Settings);
            return await run(client, cancellationToken);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return Failures.Tell(e);
        }
    }
}

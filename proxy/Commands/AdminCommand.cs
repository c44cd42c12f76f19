using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands;

/// <summary>What commands that talk to the running Breakwater share.</summary>
internal static class AdminCommand
{
    /// <summary>Exit code when the running Breakwater cannot be reached or refuses (EX_UNAVAILABLE of sysexits.h).</summary>
    public const int Unavailable = 69;

    /// <summary>Exit code of a command that was told to end (128 and SIGINT).</summary>
    public const int Interrupted = 130;

    /// <summary>
    /// Runs a command against the running Breakwater that the settings name. A failure is one sentence on standard error, which says what
    /// to do next.
    /// </summary>
    /// <param name="settingsFile">Value of <see cref="SettingsFile.Option"/>.</param>
    /// <param name="run">The command; its result is the exit code.</param>
    /// <param name="cancellationToken">Ctrl+C.</param>
    public static async Task<int> RunAsync(FileInfo? settingsFile, Func<AdminClient, CancellationToken, Task<int>> run,
        CancellationToken cancellationToken)
    {
        try
        {
            using var client = new AdminClient(BreakwaterSettings.Load(SettingsFile.Load(settingsFile)));
            return await run(client, cancellationToken);
        }
        catch (SettingsException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return ServeCommand.WrongSettings;
        }
        catch (AdminException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return Unavailable;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return ServeCommand.CannotStart;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Interrupted.");
            return Interrupted;
        }
    }
}

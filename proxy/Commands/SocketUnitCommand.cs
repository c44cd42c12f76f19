using System.CommandLine;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands;

/// <summary>
/// <c>breakwater socket-unit</c>: the ports of the settings as a part of the systemd unit that keeps them open across restarts.
/// </summary>
internal static class SocketUnitCommand
{
    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create()
    {
        var write = new Option<bool>("--write")
        {
            Description =
            $"Write it to {SocketUnit.SystemDirectory}/breakwater.socket.d/listen.conf (as root)"
        };
        var directory = new Option<string>("--directory")
        {
            Description = "The directory of units to write below, instead",
            HelpName = "DIRECTORY",
            DefaultValueFactory = _ => SocketUnit.SystemDirectory,
        };
        var command =
            new Command("socket-unit",
            "Print or write the ports of breakwater.socket, with which a restart refuses no connection: those of Proxy:Listen and "
            + "ZeroTouch:Listen.")
        {
            write, directory, SettingsFile.Option,
        };
        command.SetAction(parsed => Run(parsed.GetValue(SettingsFile.Option), parsed.GetValue(write) ? parsed.GetValue(directory) : null));
        return command;
    }

    private static int Run(FileInfo? settingsFile, string? directory)
    {
        BreakwaterSettings settings = SettingsFile.Read(settingsFile).Settings;
        if (directory is null)
        {
            Console.Write(SocketUnit.Text(settings));
            return 0;
        }

        try
        {
            (string path, bool hasChanged) = SocketUnit.Write(settings, directory);
            Console.WriteLine(hasChanged ? $"written: {path}" : $"unchanged: {path}");
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"The socket unit cannot be written: {e.Message} Run it as root, or name a --directory.");
            return ExitCodes.CannotStart;
        }
    }
}

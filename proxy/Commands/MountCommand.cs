using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands;

/// <summary>
/// <c>breakwater mount</c>: one verified snapshot of a repository as a directory, through the proxy of this machine. The mount itself is a
/// program of its own (deployment/microvm/client), which this command finds and starts with the site's settings.
/// </summary>
internal static class MountCommand
{
    /// <summary>The program, beside this one or in PATH.</summary>
    public const string Program = "breakwater-mount";

    private static readonly Argument<string> s_repository = new("FQRN") { Description = "The repository, such as os.lab.example" };

    private static readonly Argument<DirectoryInfo> s_directory = new("DIRECTORY") { Description = "Where to mount it" };

    private static readonly Option<string> s_tag = new("--tag") { Description = "A tag; else the newest revision", HelpName = "NAME" };

    private static readonly Option<string> s_rootHash = new("--root-hash") { Description = "A snapshot by its hash", HelpName = "HEX" };

    private static readonly Option<string> s_server = new("--server")
    {
        Description = "Ask this server instead of the proxy of this machine",
        HelpName = "HOST:PORT",
    };

    private static readonly Option<string> s_cache = new("--cache")
    {
        Description = "Directory for what was read; it is gone with the mount",
        HelpName = "DIRECTORY",
        DefaultValueFactory = _ => "/var/cache/breakwater-mount",
    };

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        Command command = new(
            "mount",
            "Mount a snapshot of a repository read-only, to look into it: as root, where /dev/fuse is. Ctrl+C, or umount, ends it.")
        {
            s_repository, s_directory, s_tag, s_rootHash, s_server, s_cache, SettingsFile.Option,
        };
        command.SetAction(RunAsync);
        return command;
    }

    /// <summary>What the program is started with.</summary>
    public static IReadOnlyList<string> Arguments(
        int proxyPort, string keysDirectory, string fqrn, string directory, string cache, string? server, string? tag, string? rootHash)
    {
        List<string> arguments =
        [
            fqrn, directory, "--server", server ?? string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{proxyPort}"), "--cache", cache,
        ];
        if (!string.IsNullOrEmpty(rootHash))
        {
            arguments.AddRange(["--root-hash", rootHash]);
        }
        else
        {
            arguments.AddRange(["--keys", keysDirectory]);
        }

        if (!string.IsNullOrEmpty(tag))
        {
            arguments.AddRange(["--tag", tag]);
        }

        return arguments;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        string? program = ProgramPath.Find(Program);
        if (program is null)
        {
            Console.Error.WriteLine(
                $"There is no {Program} beside this program or in PATH. It comes with no release: in a checkout of the source "
                + "'dotnet publish deployment/microvm/client -c Release -o /opt/breakwater-mount' makes it.");
            return ExitCodes.CannotStart;
        }

        string directory = parsed.GetRequiredValue(s_directory).FullName;
        BreakwaterSettings settings = SettingsFile.Read(parsed.GetValue(SettingsFile.Option)).Settings;
        var start = new ProcessStartInfo(program);
        foreach (string argument in Arguments(
            settings.Proxy.ListenEndPoints().First().Port,
            settings.Trust.KeysDirectory,
            parsed.GetRequiredValue(s_repository),
            directory,
            parsed.GetRequiredValue(s_cache),
            parsed.GetValue(s_server),
            parsed.GetValue(s_tag),
            parsed.GetValue(s_rootHash)))
        {
            start.ArgumentList.Add(argument);
        }

        using Process mount = Process.Start(start)!;
        await using CancellationTokenRegistration unmounting = cancellationToken.Register(() => Unmount(directory));
        await mount.WaitForExitAsync(CancellationToken.None);
        return mount.ExitCode == 0 ? 0 : ExitCodes.CannotStart;
    }

    /// <summary>The mount hears no signal, for it may be the root of a machine; an unmount ends it.</summary>
    private static void Unmount(string directory)
    {
        using Process? unmount = Process.Start("umount", [directory]);
        unmount?.WaitForExit(TimeSpan.FromSeconds(5));
    }
}

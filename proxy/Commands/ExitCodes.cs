using System.CommandLine;

namespace Breakwater.Proxy.Commands;

/// <summary>What the exit codes of the commands mean: one table for all, with the numbers of sysexits.h where it has some.</summary>
internal static class ExitCodes
{
    /// <summary>A command did what it says and found what it was to find: see each command.</summary>
    public const int Found = 1;

    /// <summary>The command line is wrong, or names a file that is not there (EX_USAGE).</summary>
    public const int WrongUsage = 64;

    /// <summary>A bundle or tree was refused (EX_DATAERR).</summary>
    public const int Refused = 65;

    /// <summary>The running Breakwater, or for an export a Stratum 1, cannot be reached or refuses (EX_UNAVAILABLE).</summary>
    public const int Unavailable = 69;

    /// <summary>A fault of the program itself (EX_SOFTWARE).</summary>
    public const int Fault = 70;

    /// <summary>The store, a port or a file cannot be had (EX_CANTCREAT).</summary>
    public const int CannotStart = 73;

    /// <summary>The settings are wrong (EX_CONFIG).</summary>
    public const int WrongSettings = 78;

    /// <summary>Ended by Ctrl+C.</summary>
    public const int Interrupted = 130;

    private static readonly (int Code, string Meaning)[] s_all =
    [
        (0, "done"),
        (WrongUsage, "the command line is wrong, or names a settings file that is not there"),
        (Refused, "a bundle, list or set was refused"),
        (Unavailable, "no Breakwater or Stratum 1 answers, or it refuses"),
        (Fault, "a fault of the program itself"),
        (CannotStart, "the store, a port or a file cannot be had"),
        (WrongSettings, "the settings are wrong"),
        (Interrupted, "ended by Ctrl+C"),
    ];

    private static readonly Dictionary<string, string> s_found = new(StringComparer.Ordinal)
    {
        ["doctor"] = "something cannot work so",
        ["status"] = "the running Breakwater is not ready",
        ["store verify"] = "an object is damaged",
        ["warm"] = "something of what was asked for cannot be had",
        ["pin add"] = "something of what was asked for cannot be had",
        ["pin remove"] = "there is no such pin",
        ["profile show"] = "there is no such working set",
        ["profile export"] = "there is no such working set",
        ["profile remove"] = "there is no such working set",
        ["seed remove"] = "there is no such seed",
        ["demo"] = "a machine did not boot as it should",
        ["cluster status"] = "a node of the site does not answer, or this is no site of several nodes",
    };

    /// <summary>Codes with meanings of a command, in ascending order.</summary>
    public static IEnumerable<(int Code, string Meaning)> Of(Command command) =>
        s_found.TryGetValue(NameOf(command), out string? found) ? [s_all[0], (Found, found), .. s_all[1..]] : s_all;

    /// <summary>A command's name with those of the commands above it, without the program's.</summary>
    public static string NameOf(Command command) => command.Parents.OfType<Command>().FirstOrDefault() is { } parent and not RootCommand
        ? $"{NameOf(parent)} {command.Name}"
        : command is RootCommand ? "" : command.Name;
}

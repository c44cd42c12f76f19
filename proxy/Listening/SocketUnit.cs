using System.Net;
using System.Text;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Listening;

/// <summary>
/// The systemd unit <c>breakwater.socket</c>, which keeps the clients' ports open while the proxy restarts. Its addresses come from the
/// settings: a file beside the unit (systemd.unit(5), drop-in) names them.
/// </summary>
internal static class SocketUnit
{
    /// <summary>What an operator runs after a change of the ports.</summary>
    public const string Remedy =
        "breakwater socket-unit --write && systemctl daemon-reload && systemctl stop breakwater.service && systemctl restart "
        + "breakwater.socket && systemctl start breakwater.service";

    /// <summary>Where an administrator's units are.</summary>
    public const string SystemDirectory = "/etc/systemd/system";

    private const string Unit = "breakwater.socket";
    private const string DropIn = "breakwater.socket.d/listen.conf";
    private const string Section = "[Socket]";

    /// <summary>Directories of units below a root, the ones that win first (systemd.unit(5)).</summary>
    private static readonly string[] s_directories =
        ["etc/systemd/system", "run/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"];

    /// <summary>The addresses that the unit is to have, as systemd writes them.</summary>
    public static IReadOnlyList<string> Wanted(BreakwaterSettings settings) =>
        [.. settings.Proxy.ListenEndPoints().Concat(settings.Proxy.TlsListenEndPoints()).Append(settings.ZeroTouch.ListenEndPoint())
        .OfType<IPEndPoint>().Where(endPoint => endPoint.Port > 0).Select(Address).Distinct(StringComparer.Ordinal)];

    /// <summary>The drop-in's text.</summary>
    public static string Text(BreakwaterSettings settings) =>
        "# Written by 'breakwater socket-unit --write' from Proxy:Listen, Proxy:TlsListen and ZeroTouch:Listen: change the "
        + "settings and run it again.\n"
        + $"{Section}\nListenStream=\n" + string.Concat(Wanted(settings).Select(address => $"ListenStream={address}\n"));

    /// <summary>Writes the drop-in below a directory of units. Returns its path, and whether that changed anything.</summary>
    /// <exception cref="IOException">The disk refuses it.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission is missing.</exception>
    public static (string Path, bool HasChanged) Write(BreakwaterSettings settings, string directory)
    {
        string path = Path.Combine(directory, DropIn);
        string text = Text(settings);
        if (File.Exists(path) && File.ReadAllText(path) == text)
        {
            return (path, false);
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        CacheStore.Disk.WholeFile.Write(path, Encoding.UTF8.GetBytes(text), CacheStore.Disk.WholeFile.Readable);
        return (path, true);
    }

    /// <summary>The addresses that the installed unit has, with its drop-ins; null when there is no unit.</summary>
    /// <param name="root">The root of the system: <c>/</c>.</param>
    public static IReadOnlyList<string>? Installed(string root)
    {
        string[] directories = [.. s_directories.Select(directory => Path.Combine(root, directory))];
        if (directories.Select(directory => Path.Combine(directory, Unit)).FirstOrDefault(File.Exists) is not { } unit)
        {
            return null;
        }

        // Of two drop-ins of one name the first directory's counts; then in the order of their names.
        IEnumerable<string> dropIns = directories.Select(directory => Path.Combine(directory, Unit + ".d")).Where(Directory.Exists)
            .SelectMany(directory => Directory.EnumerateFiles(directory, "*.conf"))
            .DistinctBy(Path.GetFileName, StringComparer.Ordinal).OrderBy(Path.GetFileName, StringComparer.Ordinal);
        List<string> addresses = [];
        foreach (string file in dropIns.Prepend(unit))
        {
            Take(File.ReadLines(file), addresses);
        }

        return addresses;
    }

    /// <summary>Does systemd open its ports when the machine starts?</summary>
    /// <param name="root">The root of the system: <c>/</c>.</param>
    public static bool IsEnabled(string root) =>
        new FileInfo(Path.Combine(root, s_directories[0], "sockets.target.wants", Unit)).LinkTarget is not null;

    /// <summary>Do two lists of addresses mean the same ports? <c>[::]:3128</c> and <c>3128</c> do.</summary>
    public static bool Mean(IEnumerable<string> some, IEnumerable<string> others) =>
        some.Select(Plain).ToHashSet(StringComparer.Ordinal).SetEquals(others.Select(Plain));

    private static void Take(IEnumerable<string> lines, List<string> addresses)
    {
        string section = "";
        foreach (string line in lines.Select(line => line.Trim()))
        {
            if (line.StartsWith('['))
            {
                section = line;
            }
            else if (section == Section && line.Split('=', 2, StringSplitOptions.TrimEntries) is ["ListenStream", { } value])
            {
                if (value.Length == 0)
                {
                    addresses.Clear(); // an empty value begins the list anew
                }
                else
                {
                    addresses.Add(value);
                }
            }
        }
    }

    /// <summary>
    /// A port alone is every interface, IPv4 alone where the host has no IPv6 (systemd.socket(5)): what <c>[::]</c> means here.
    /// </summary>
    private static string Address(IPEndPoint endPoint) =>
        endPoint.Address.Equals(IPAddress.IPv6Any) ? $"{endPoint.Port}" : endPoint.ToString();

    private static string Plain(string address) =>
        IPEndPoint.TryParse(address, out IPEndPoint? parsed) && address.Contains(':', StringComparison.Ordinal) ? Address(parsed) : address;
}

using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands;

/// <summary>The doctor's look at this host: ports, limits, disk, keys.</summary>
internal static class DoctorHost
{
    private const long WantedFiles = 16_384;
    private const long WantedDiskBytes = 20L << 30;

    /// <summary>Could a server have its ports? Asked when none runs. Each is opened for a moment.</summary>
    public static IEnumerable<DoctorCheck> Ports(BreakwaterSettings settings)
    {
        IEnumerable<(string Setting, IPEndPoint? EndPoint, SocketType Type)> all =
        [
            .. settings.Proxy.ListenEndPoints().Select(e => ("Proxy:Listen", (IPEndPoint?)e, SocketType.Stream)),
            .. settings.Proxy.TlsListenEndPoints().Select(e => ("Proxy:TlsListen", (IPEndPoint?)e, SocketType.Stream)),
            ("Admin:Listen", settings.Admin.ListenEndPoint(), SocketType.Stream),
            ("ZeroTouch:Listen", settings.ZeroTouch.ListenEndPoint(), SocketType.Stream),
            ("Snmp:Listen", settings.Snmp.ListenEndPoint(), SocketType.Dgram),
        ];
        foreach ((string setting, IPEndPoint? endPoint, SocketType type) in all)
        {
            if (endPoint is not null)
            {
                yield return Port(setting, endPoint, type);
            }
        }
    }

    private static DoctorCheck Port(string setting, IPEndPoint endPoint, SocketType type)
    {
        string name = $"port {endPoint.Port}";
        try
        {
            using var socket = new Socket(endPoint.AddressFamily, type, ProtocolType.Unspecified);
            if (endPoint.Address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            if (type == SocketType.Stream)
            {
                // As Kestrel does: what is left of closed connections does not count.
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            }

            socket.Bind(endPoint);
            if (type == SocketType.Stream)
            {
                socket.Listen();
            }

            return new DoctorCheck(name, CheckLevel.Ok, $"free ({setting})");
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse =>
                    new DoctorCheck(name, CheckLevel.Failure, $"taken by another program ({setting})",
                    $"'ss -ltnup' as root says by which: a squid? Stop it, or set {setting}"),
                SocketError.AccessDenied =>
                    new DoctorCheck(name, CheckLevel.Warning, $"needs a right that this shell does not have ({setting})",
                    "the shipped systemd unit has it (CAP_NET_BIND_SERVICE)"),
                _ => new DoctorCheck(name, CheckLevel.Failure, $"cannot be had: {e.Message} ({setting})", $"correct {setting}"),
            };
        }
    }

    /// <summary>Has the unit that keeps the ports open across restarts those of the settings? Null: no systemd, no such unit.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="root">The root of the system: <c>/</c>.</param>
    public static DoctorCheck? KeptPorts(BreakwaterSettings settings, string root)
    {
        const string Name = "socket unit";
        if (SocketUnit.Installed(root) is not { } has)
        {
            return Directory.Exists(Path.Combine(root, "run/systemd/system"))
                ? new DoctorCheck(Name, CheckLevel.Warning,
                "there is no breakwater.socket: a restart refuses the connections of VMs that boot",
                "install the package, or deployment/systemd/breakwater.socket")
                : null;
        }

        IReadOnlyList<string> wanted = SocketUnit.Wanted(settings);
        if (!SocketUnit.Mean(has, wanted))
        {
            return new DoctorCheck(
                Name,
                CheckLevel.Failure,
                $"breakwater.socket listens on {string.Join(", ", has)}, the settings name {string.Join(", ", wanted)}: the next start "
                + $"is refused",
                $"as root: {SocketUnit.Remedy}");
        }

        return SocketUnit.IsEnabled(root)
            ? new DoctorCheck(Name, CheckLevel.Ok, $"breakwater.socket keeps {string.Join(", ", wanted)} open across restarts")
            : new DoctorCheck(Name, CheckLevel.Warning,
            "breakwater.socket is not enabled: a restart refuses the connections of VMs that boot",
            "as root: systemctl enable breakwater.socket && " + SocketUnit.Remedy);
    }

    /// <summary>Each client holds up to 16 connections, each a descriptor.</summary>
    public static DoctorCheck FileLimit()
    {
        if (!OperatingSystem.IsLinux())
        {
            return new DoctorCheck("open files", CheckLevel.Ok, "not limited as on Linux");
        }

        string? line = File.ReadLines("/proc/self/limits").FirstOrDefault(l => l.StartsWith("Max open files", StringComparison.Ordinal));
        long limit = line is null ? 0 : long.TryParse(line[14..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], out long hard)
            ? hard
            : long.MaxValue;
        return limit >= WantedFiles
            ? new DoctorCheck("open files", CheckLevel.Ok, $"{limit} at most in this shell")
            : new DoctorCheck("open files", CheckLevel.Warning, $"{limit} at most in this shell; a VM opens up to 16 connections",
            "the shipped systemd unit sets LimitNOFILE=262144; in a shell: ulimit -n 65536");
    }

    public static DoctorCheck Disk(string path)
    {
        string existing = Path.GetFullPath(path);
        while (!Directory.Exists(existing))
        {
            existing = Path.GetDirectoryName(existing)!;
        }

        long free = new DriveInfo(existing).AvailableFreeSpace;
        return free >= WantedDiskBytes
            ? new DoctorCheck("disk", CheckLevel.Ok, $"{StatusCommand.Size(free)} free at {existing}")
            : new DoctorCheck("disk", CheckLevel.Warning, $"{StatusCommand.Size(free)} free at {existing}",
            "a small site's working sets want 20 GB and more: see docs/operate/sizing.md, or move Store:Path");
    }

    /// <summary>Can the access log be written by whoever asks? Null: there is none.</summary>
    public static DoctorCheck? Log(string? path)
    {
        if (string.IsNullOrEmpty(path) || path == "-")
        {
            return null;
        }

        string existing = Path.GetFullPath(path);
        while (!File.Exists(existing) && !Directory.Exists(existing))
        {
            existing = Path.GetDirectoryName(existing)!;
        }

        try
        {
            if (File.Exists(existing) && existing == Path.GetFullPath(path))
            {
                using FileStream file = new(existing, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            }
            else if (!Directory.Exists(existing))
            {
                return new DoctorCheck("access log", CheckLevel.Warning, $"{existing} is no directory", "correct AccessLog:Path");
            }

            return new DoctorCheck("access log", CheckLevel.Ok, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new DoctorCheck("access log", CheckLevel.Warning, $"this user cannot write it: {e.Message}",
                "the service's user must be able to; for the package: chown breakwater:breakwater, or correct AccessLog:Path");
        }
    }

    public static DoctorCheck Keys(string directory)
    {
        int keys;
        try
        {
            keys = NamedPath.IsFolder(directory) ? Directory.EnumerateFiles(directory, "*.pub", SearchOption.AllDirectories).Count() : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new DoctorCheck("keys", CheckLevel.Warning, $"this user cannot look: {e.Message}",
                "the service's user must be able to read them, or manifests pass unverified");
        }

        return keys > 0
            ? new DoctorCheck("keys", CheckLevel.Ok, $"{keys} master {(keys == 1 ? "key" : "keys")} in {directory}")
            : new DoctorCheck("keys", CheckLevel.Warning, $"no master keys in {directory}: manifests pass unverified",
            "install the site's cvmfs-config package, or copy /etc/cvmfs/keys from a client to Repositories:KeysDirectory");
    }
}

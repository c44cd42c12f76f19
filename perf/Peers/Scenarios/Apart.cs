using System.Diagnostics;
using Breakwater.Peers.Proxies;

namespace Breakwater.Peers.Scenarios;

/// <summary>
/// Runs the race again inside a network namespace of its own, where every connection has the same congestion control and the machine is
/// left as it was. What has to be downloaded is there before: inside is only loopback.
/// </summary>
internal static class Apart
{
    /// <summary>Names the folder that Breakwater was published to, for the run inside.</summary>
    public const string BuiltVariable = "BREAKWATER_RACE_BUILT";

    private const string Allowed = "/proc/sys/net/ipv4/tcp_allowed_congestion_control";
    private const string InsideVariable = "BREAKWATER_RACE_INSIDE";

    /// <summary>Runs this process's command inside, and returns its exit code; null: this is the one inside.</summary>
    /// <param name="congestion">Congestion control, e.g. <c>cubic</c>.</param>
    /// <param name="built">The folder of the published Breakwater; null: it does not race.</param>
    /// <param name="link">Rate of loopback, with packets of 1,500 bytes; null: as it is.</param>
    /// <exception cref="IOException">The kernel has no such congestion control, or the namespace cannot be made.</exception>
    public static int? Run(string congestion, string? built, string? link = null)
    {
        if (Environment.GetEnvironmentVariable(InsideVariable) is not null)
        {
            Prepare(congestion, link);
            return null;
        }

        Debian.Install();
        string[] arguments = [.. Environment.GetCommandLineArgs().Skip(1)];
        var start = new ProcessStartInfo("unshare", ["--net", "--", Environment.ProcessPath!, .. arguments]);
        start.Environment[InsideVariable] = "1";
        start.Environment[BuiltVariable] = built;
        string allowed = File.ReadAllText(Allowed);
        try
        {
            // A namespace may choose among what the machine allows to everybody.
            Write(Allowed, $"{allowed.Trim()} {congestion}", congestion);
            using Process process = Process.Start(start)!;
            process.WaitForExit();
            return process.ExitCode;
        }
        finally
        {
            File.WriteAllText(Allowed, allowed);
        }
    }

    private static void Prepare(string congestion, string? link)
    {
        Do("ip", "link", "set", "lo", "up");
        if (link is not null)
        {
            Do("ip", "link", "set", "lo", "mtu", "1500");
            Do("tc", "qdisc", "add", "dev", "lo", "root", "tbf", "rate", link, "burst", "2mb", "latency", "20ms");
        }

        Write("/proc/sys/net/ipv4/tcp_congestion_control", congestion, congestion);
        File.WriteAllText("/proc/sys/net/ipv4/ip_local_port_range", "1024 65535");
    }

    private static void Do(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new IOException($"'{program} {string.Join(' ', arguments)}' ended with {process.ExitCode}.");
        }
    }

    private static void Write(string file, string value, string congestion)
    {
        try
        {
            File.WriteAllText(file, value);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string known = File.ReadAllText("/proc/sys/net/ipv4/tcp_available_congestion_control").Trim();
            throw new IOException(
                $"--congestion {congestion} cannot be set ({e.Message}). This kernel has: {known}. It takes root.", e);
        }
    }
}

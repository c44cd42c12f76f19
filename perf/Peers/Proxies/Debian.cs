using System.Diagnostics;

namespace Breakwater.Peers.Proxies;

/// <summary>Installs the peers from Debian, without letting them start as services.</summary>
internal static class Debian
{
    private const string Policy = "/usr/sbin/policy-rc.d";

    private static readonly (string File, string Package)[] s_needed =
    [
        ("/usr/sbin/squid", "squid"),
        ("/usr/sbin/nginx", "nginx-light"),
        ("/usr/sbin/varnishd", "varnish"),
        ("/usr/bin/traffic_server", "trafficserver"),
        ("/usr/sbin/haproxy", "haproxy"),
    ];

    /// <summary>Installs what is missing; needs root only then.</summary>
    /// <exception cref="IOException">apt-get failed.</exception>
    public static void Install()
    {
        string[] missing = [.. s_needed.Where(n => !File.Exists(n.File)).Select(n => n.Package)];
        if (missing.Length == 0)
        {
            return;
        }

        bool hadPolicy = File.Exists(Policy);
        if (!hadPolicy)
        {
            File.WriteAllText(Policy, "#!/bin/sh\nexit 101\n");
            File.SetUnixFileMode(Policy, (UnixFileMode)0b111_101_101);
        }

        try
        {
            AptGet("update");
            AptGet(["install", "-y", "--no-install-recommends", .. missing]);
        }
        finally
        {
            if (!hadPolicy)
            {
                File.Delete(Policy);
            }
        }
    }

    private static void AptGet(params string[] arguments)
    {
        var start = new ProcessStartInfo("apt-get", arguments);
        start.Environment["DEBIAN_FRONTEND"] = "noninteractive";
        using Process process = Process.Start(start)!;
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new IOException(
                $"apt-get {string.Join(' ', arguments)} failed; install squid, nginx-light, varnish, trafficserver "
                + "and haproxy yourself and run this again");
        }
    }
}

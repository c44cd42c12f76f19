using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Breakwater.Peers.Proxies;

/// <summary>squid as a forward proxy: collapsed forwarding, 4 GB of memory, aufs, one worker.</summary>
internal sealed partial class Squid(int inMemoryKb = 128) : Peer("squid", isForward: true)
{
    private string Service => "race" + Port.ToString(CultureInfo.InvariantCulture);

    public override string Version() => VersionPattern().Match(Output("squid", "-v")).Value;

    protected override void Prepare()
    {
        Write("squid.conf", $"""
            http_port 127.0.0.1:{Port}
            acl all_clients src 127.0.0.0/8
            http_access allow all_clients
            http_access deny all
            workers 1
            collapsed_forwarding on
            cache_mem 4096 MB
            maximum_object_size 1024 MB
            maximum_object_size_in_memory {inMemoryKb} KB
            cache_dir aufs {Directory}/cache 20000 16 256
            access_log none
            cache_store_log none
            cache_log {Directory}/cache.log
            pid_filename {Directory}/squid.pid
            coredump_dir {Directory}
            max_filedescriptors 65536
            pinger_enable off
            shutdown_lifetime 0 seconds
            visible_hostname race.example.org
            """);
        OpenDirectory();
        ForgetSharedMemory();
        if (!System.IO.Directory.Exists(Path.Combine(Directory, "cache", "00")))
        {
            Output("squid", "-f", Path.Combine(Directory, "squid.conf"), "--foreground", "-n", Service, "-z");
        }
    }

    protected override ProcessStartInfo Command() => Run("squid", "-f", Path.Combine(Directory, "squid.conf"), "-n", Service, "-N");

    /// <summary>A killed squid leaves its segments behind, and the next of the same service name refuses to start.</summary>
    private void ForgetSharedMemory()
    {
        foreach (string segment in System.IO.Directory.EnumerateFiles("/dev/shm", Service + "-*.shm"))
        {
            File.Delete(segment);
        }
    }

    [GeneratedRegex(@"(?<=Version )[\d.]+")]
    private static partial Regex VersionPattern();
}

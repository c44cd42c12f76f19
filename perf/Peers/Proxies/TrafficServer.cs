using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Breakwater.Peers.Proxies;

/// <summary>Apache Traffic Server in front of one server: read while write, waiting readers, 4 GB RAM cache.</summary>
internal sealed partial class TrafficServer() : Peer("ats", isForward: false)
{
    public override string Version() => VersionPattern().Match(Output("traffic_server", "--version")).Value;

    protected override void Prepare()
    {
        foreach (string name in new[] { "etc", "run", "log", "cache" })
        {
            System.IO.Directory.CreateDirectory(Path.Combine(Directory, name));
        }

        Write("runroot.yaml", $"""
            prefix: /usr
            exec_prefix: /usr
            bindir: /usr/bin
            sbindir: /usr/sbin
            sysconfdir: {Directory}/etc
            datadir: {Directory}/cache
            includedir: /usr/include
            libdir: /usr/lib/trafficserver
            libexecdir: /usr/lib/trafficserver/modules
            localstatedir: {Directory}
            runtimedir: {Directory}/run
            logdir: {Directory}/log
            cachedir: {Directory}/cache
            """);
        foreach (string file in System.IO.Directory.EnumerateFiles("/etc/trafficserver"))
        {
            File.Copy(file, Path.Combine(Directory, "etc", Path.GetFileName(file)), overwrite: true);
        }

        Write("etc/remap.config", $"map / http://127.0.0.1:{UpstreamPort}/\n");
        Write("etc/storage.config", $"{Directory}/cache 8G\n");
        Write("etc/records.config", $"""
            CONFIG proxy.config.http.server_ports STRING {Port}:ip-in=127.0.0.1
            CONFIG proxy.config.admin.user_id STRING trafficserver
            CONFIG proxy.config.reverse_proxy.enabled INT 1
            CONFIG proxy.config.url_remap.remap_required INT 1
            CONFIG proxy.config.http.cache.http INT 1
            CONFIG proxy.config.http.wait_for_cache INT 1
            CONFIG proxy.config.cache.enable_read_while_writer INT 1
            CONFIG proxy.config.http.cache.open_write_fail_action INT 5
            CONFIG proxy.config.http.cache.max_open_read_retries INT 100
            CONFIG proxy.config.http.cache.open_read_retry_time INT 10
            CONFIG proxy.config.http.background_fill_completed_threshold FLOAT 0.0
            CONFIG proxy.config.http.background_fill_active_timeout INT 0
            CONFIG proxy.config.cache.ram_cache.size INT 4294967296
            CONFIG proxy.config.cache.ram_cache_cutoff INT 16777216
            CONFIG proxy.config.net.connections_throttle INT 60000
            CONFIG proxy.config.net.listen_backlog INT 4096
            CONFIG proxy.config.http.keep_alive_no_activity_timeout_in INT 300
            CONFIG proxy.config.log.logging_enabled INT 0
            CONFIG proxy.config.diags.debug.enabled INT 0
            """);
        OpenDirectory();
    }

    protected override ProcessStartInfo Command() => Run("traffic_server", $"--run-root={Path.Combine(Directory, "runroot.yaml")}");

    [GeneratedRegex(@"(?<=traffic_server )[\d.]+|\d+\.\d+\.\d+")]
    private static partial Regex VersionPattern();
}

using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Breakwater.Peers.Proxies;

/// <summary>HAProxy's cache in front of one server: as many threads as processors, objects up to 16 MB for a day.</summary>
internal sealed partial class HaProxy() : Peer("haproxy", isForward: false)
{
    public override string Version() => VersionPattern().Match(Output("haproxy", "-v")).Value;

    protected override void Prepare() => Write("haproxy.cfg", $"""
        global
          nbthread {Environment.ProcessorCount}
        defaults
          mode http
          timeout connect 5s
          timeout client 300s
          timeout server 300s
          timeout http-keep-alive 300s
          http-reuse always
        cache objects
          total-max-size 2048
          max-object-size 16777216
          max-age 86400
          max-secondary-entries 1
        frontend clients
          bind 127.0.0.1:{Port} backlog 4096
          default_backend stratum1
        backend stratum1
          http-request cache-use objects
          http-response cache-store objects
          server s1 127.0.0.1:{UpstreamPort} maxconn 128

        """);

    protected override ProcessStartInfo Command() => Run("haproxy", "-db", "-f", Path.Combine(Directory, "haproxy.cfg"));

    [GeneratedRegex(@"(?<=version )[\d.]+")]
    private static partial Regex VersionPattern();
}

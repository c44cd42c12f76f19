using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Breakwater.Peers.Proxies;

/// <summary>Varnish in front of one server: 4 GB of malloc, 6,000 threads a pool, a long listen queue.</summary>
internal sealed partial class Varnish() : Peer("varnish", isForward: false)
{
    public override string Version() => VersionPattern().Match(Output("varnishd", "-V")).Value;

    protected override void Prepare()
    {
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "work"));
        OpenDirectory();
    }

    protected override ProcessStartInfo Command() => Run(
        "varnishd",
        "-F",
        "-n", Path.Combine(Directory, "work"),
        "-a", $"127.0.0.1:{Port.ToString(CultureInfo.InvariantCulture)}",
        "-b", $"127.0.0.1:{UpstreamPort.ToString(CultureInfo.InvariantCulture)}",
        "-s", "malloc,4G",
        "-p", "thread_pool_max=6000",
        "-p", "listen_depth=4096");

    [GeneratedRegex(@"(?<=varnish-)[\d.]+")]
    private static partial Regex VersionPattern();
}

using System.Diagnostics;
using System.Globalization;

namespace Breakwater.Peers.Proxies;

/// <summary>Breakwater itself as a forward proxy, published in Release, with its defaults: store, checks and metrics on.</summary>
/// <param name="directory">Where it was published to.</param>
internal sealed class BreakwaterPeer(string directory) : Peer("breakwater", isForward: true)
{
    public override string Version() => FileVersionInfo.GetVersionInfo(Path.Combine(directory, "breakwater.dll")).ProductVersion ?? "?";

    protected override void Prepare()
    {
    }

    protected override ProcessStartInfo Command()
    {
        ProcessStartInfo start = Run(Path.Combine(directory, "breakwater"), "serve");
        string upstream = "http://127.0.0.1:" + UpstreamPort.ToString(CultureInfo.InvariantCulture);
        start.WorkingDirectory = Directory;
        start.Environment["Proxy__Listen__0"] = "127.0.0.1:" + Port.ToString(CultureInfo.InvariantCulture);
        start.Environment["Admin__Listen"] = "127.0.0.1:0";
        start.Environment["Store__Path"] = Path.Combine(Directory, "store");
        start.Environment["ReverseProxy__Clusters__race__Destinations__s1__Address"] = upstream;
        start.Environment["Repositories__*.example.org__Cluster"] = "race";
        return start;
    }
}

using System.Diagnostics;
using System.Globalization;

namespace Breakwater.Peers.Proxies;

/// <summary>Breakwater itself as a forward proxy, published in Release, with its defaults: store, checks and metrics on.</summary>
/// <param name="directory">Where it was published to.</param>
/// <param name="congestion">Congestion control of its clients' connections: that of the peers'.</param>
/// <param name="name">As the reports call it.</param>
internal sealed class BreakwaterPeer(string directory, string congestion, string name = "breakwater") : Peer(name, isForward: true)
{
    /// <summary>Breakwater that has seen a storm of the same boot before, and lost its objects since.</summary>
    public const string Known = "breakwater+known";

    /// <summary>Stops it in order, and empties its store: what it has learned stays.</summary>
    public void ForgetObjects()
    {
        Stop(TimeSpan.FromSeconds(15));
        System.IO.Directory.Delete(Path.Combine(Directory, "store", "objects"), recursive: true);
    }

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
        start.Environment["Proxy__CongestionControl"] = congestion;
        start.Environment["Store__Path"] = Path.Combine(Directory, "store");
        start.Environment["ReverseProxy__Clusters__race__Destinations__s1__Address"] = upstream;
        start.Environment["Repositories__*.example.org__Cluster"] = "race";
        return start;
    }
}

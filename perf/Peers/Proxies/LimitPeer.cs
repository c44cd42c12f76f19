using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Breakwater.Storm.Limit;

namespace Breakwater.Peers.Proxies;

/// <summary>No proxy, but what one could reach at most: a bare epoll writer of the same bytes, in a process of its own.</summary>
internal sealed class LimitPeer() : Peer(PeerName, isForward: false)
{
    /// <summary>As the reports call it.</summary>
    public const string PeerName = "limit";

    public override string Version() => "of this checkout";

    /// <summary>The process itself; not for people.</summary>
    public static Command Server()
    {
        var port = new Option<int>("--port");
        var upstream = new Option<int>("--upstream");
        var command = new Command("limit", "A bare epoll writer on loopback.") { port, upstream };
        command.Hidden = true;
        command.SetAction((parsed, cancellation) =>
        {
            using var server = new LimitServer(
                parsed.GetValue(port), new IPEndPoint(IPAddress.Loopback, parsed.GetValue(upstream)), Environment.ProcessorCount);
            cancellation.WaitHandle.WaitOne();
            return Task.FromResult(0);
        });
        return command;
    }

    protected override void Prepare()
    {
    }

    protected override ProcessStartInfo Command() => Run(
        Environment.ProcessPath!,
        "limit",
        "--port", Port.ToString(CultureInfo.InvariantCulture),
        "--upstream", UpstreamPort.ToString(CultureInfo.InvariantCulture));
}

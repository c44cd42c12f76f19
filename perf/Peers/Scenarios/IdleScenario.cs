using System.Net;
using Breakwater.Laboratory.Stratum1;
using Breakwater.Peers.Measuring;
using Breakwater.Peers.Proxies;
using Breakwater.Peers.Results;
using Breakwater.Storm.Hot;

namespace Breakwater.Peers.Scenarios;

/// <summary>8,000 connections that have asked once and stay open; 500 others busy with hits of 4 KB.</summary>
internal static class IdleScenario
{
    private const int Idle = 8_000, Active = 500, SizeBytes = 4096;

    /// <summary>Runs it, each time on a fresh instance.</summary>
    public static IEnumerable<RaceCase> Run(RaceContext context)
    {
        IReadOnlyList<ServedObject> objects = ObjectSet.Fixed(512, SizeBytes, seed: 1);
        string[] paths = [.. objects.Select(o => o.Path)];
        using var upstream = new UpstreamServer(objects, new UpstreamOptions());
        var runs = new List<PeerRun>();
        for (int run = 0; run < context.Runs; run++)
        {
            foreach (string name in context.Order(run))
            {
                using Peer peer = context.Create(name);
                peer.Start(upstream.Port);
                RaceContext.Fill(peer, upstream, paths);
                // what a process takes once it works is no idle client's
                HotScenario.Measure(context, peer, upstream, paths, SizeBytes, Active);
                Memory empty = peer.Tree.ExactMemory();
                using IDisposable held = HotLoad.HoldIdle(new HotOptions
                {
                    Paths = paths,
                    Target = peer.EndPoint,
                    Host = new IPEndPoint(IPAddress.Loopback, upstream.Port),
                    IsForward = peer.IsForward,
                    Connections = Idle,
                });
                Memory full = peer.Tree.ExactMemory();
                PeerRun active = HotScenario.Measure(context, peer, upstream, paths, SizeBytes, Active);
                runs.Add(PeerRun.Of(name, new Dictionary<string, double>(active.Values)
                {
                    ["kbPerIdle"] = (full.ProportionalBytes - empty.ProportionalBytes) / 1024.0 / Idle,
                }));
            }
        }

        yield return context.Case("idle/8000", "8,000 idle connections, hits of 4 KB on 500 others", runs);
    }
}

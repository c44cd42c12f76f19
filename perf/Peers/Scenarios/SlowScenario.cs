using Breakwater.Laboratory.Stratum1;
using Breakwater.Peers.Proxies;
using Breakwater.Peers.Results;
using Breakwater.Storm.Vms;

namespace Breakwater.Peers.Scenarios;

/// <summary>
/// An upstream that needs more than 5 s for an object. What counts are exiles: Micro-CernVMs that would leave the proxy for a day. An error
/// within 5 s (a 504) is no exile: the VM stays and asks its next Stratum 1.
/// </summary>
internal static class SlowScenario
{
    /// <summary>Runs both kinds of slowness, each time on a fresh instance.</summary>
    public static IEnumerable<RaceCase> Run(RaceContext context)
    {
        yield return Run(
            context,
            "slow/drip",
            "two objects of 8 MiB at 1 MB/s, 50 VMs within a second",
            ObjectSet.Fixed(2, ObjectSet.BigSizeBytes, seed: 6),
            new UpstreamOptions { BytesPerSecond = 1_000_000 });
        yield return Run(
            context,
            "slow/silence",
            "first byte of a small object after 6 s, 50 VMs within a second",
            ObjectSet.Fixed(1, 4096, seed: 7),
            new UpstreamOptions { Delay = TimeSpan.FromSeconds(6) });
    }

    private static RaceCase Run(RaceContext context, string id, string title, IReadOnlyList<ServedObject> objects, UpstreamOptions options)
    {
        using var upstream = new UpstreamServer(objects, options);
        var runs = new List<PeerRun>();
        for (int run = 0; run < context.Runs; run++)
        {
            foreach (string name in context.Order(run))
            {
                using Peer peer = context.Create(name);
                peer.Start(upstream.Port);
                runs.Add(RaceContext.Measure(peer, upstream,
                    RaceContext.Boots(peer, upstream, BootTrace.Of([.. objects.Select(o => o.Path)]), 50) with
                    {
                        WaitsForever = true,
                        ArrivalCurve = "ramp:1",
                        TimeLimit = TimeSpan.FromSeconds(30),
                    }));
            }
        }

        return context.Case(id, title, runs);
    }
}

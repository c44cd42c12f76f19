using Breakwater.Laboratory.Stratum1;
using Breakwater.Peers.Proxies;
using Breakwater.Peers.Results;
using Breakwater.Storm.Vms;

namespace Breakwater.Peers.Scenarios;

/// <summary>
/// Cold storms: every VM reads the same objects in the same order on one connection, 30 ms a request upstream, empty caches.
/// </summary>
internal static class StormScenario
{
    /// <summary>Runs one storm.</summary>
    /// <param name="context">Who and how often.</param>
    /// <param name="vms">How many boot at once.</param>
    /// <param name="objects">403 (64.4 MB, three of 8 MiB) or 100 (6 MB).</param>
    public static IEnumerable<RaceCase> Run(RaceContext context, int vms, int objects)
    {
        IReadOnlyList<ServedObject> boot = objects == 403
            ? ObjectSet.Boot(403, 64_400_000, 3, seed: 1)
            : ObjectSet.Boot(objects, objects * 60_000L, 0, seed: 2);
        using var upstream = new UpstreamServer(boot, new UpstreamOptions { Delay = TimeSpan.FromMilliseconds(30) });
        var trace = BootTrace.Of([.. boot.Select(o => o.Path)]);
        var runs = new List<PeerRun>();
        for (int run = 0; run < context.Runs; run++)
        {
            foreach (string name in context.Order(run))
            {
                using Peer peer = context.Create(name);
                peer.Start(upstream.Port);
                if (peer is BreakwaterPeer { Name: BreakwaterPeer.Known } knowing)
                {
                    // A smaller storm of the same boot came before; since then the store was emptied.
                    _ = StormRun.Run(RaceContext.Boots(peer, upstream, trace, 20) with { WaitsForever = true });
                    Thread.Sleep(1500);
                    knowing.ForgetObjects();
                    peer.Start(upstream.Port);
                }

                runs.Add(RaceContext.Measure(peer, upstream, RaceContext.Boots(peer, upstream, trace, vms) with
                {
                    WaitsForever = true,
                    TimeLimit = TimeSpan.FromSeconds(60),
                }));
            }
        }

        yield return context.Case($"storm/{vms}x{objects}", $"cold storm: {vms:N0} VMs, {objects} objects, 30 ms upstream", runs);
    }
}

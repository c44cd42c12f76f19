using System.Diagnostics;
using Breakwater.Laboratory.Stratum1;
using Breakwater.Peers.Proxies;
using Breakwater.Peers.Results;
using Breakwater.Storm.Vms;

namespace Breakwater.Peers.Scenarios;

/// <summary>
/// A filled proxy is killed with SIGKILL 1.5 s after the fill and started again: what does it fetch again, and when does it serve?
/// </summary>
internal static class RestartScenario
{
    /// <summary>Runs it.</summary>
    public static IEnumerable<RaceCase> Run(RaceContext context)
    {
        IReadOnlyList<ServedObject> boot = ObjectSet.Boot(403, 64_400_000, 3, seed: 1);
        using var upstream = new UpstreamServer(boot, new UpstreamOptions());
        var trace = BootTrace.Of([.. boot.Select(o => o.Path)]);
        var mount = new BootTrace([.. trace.Paths.Skip(1).Take(12)], 0); // catalogs and first files, one after the other
        var runs = new List<PeerRun>();
        for (int run = 0; run < context.Runs; run++)
        {
            foreach (string name in context.Order(run))
            {
                using Peer peer = context.Create(name);
                peer.Start(upstream.Port);
                RaceContext.Fill(peer, upstream, trace.Paths);
                Thread.Sleep(1500);
                peer.Kill();
                var watch = Stopwatch.StartNew();
                TimeSpan open = peer.Start(upstream.Port);
                _ = StormRun.Run(RaceContext.Boots(peer, upstream, new BootTrace([trace.Paths[0]], 0), 1));
                double serving = watch.Elapsed.TotalSeconds;
                double mountMs = RaceContext.Measure(peer, upstream, RaceContext.Boots(peer, upstream, mount, 1)).Values["bootMaxMs"];
                PeerRun again = RaceContext.Measure(peer, upstream, RaceContext.Boots(peer, upstream, trace, 1));
                runs.Add(PeerRun.Of(name, new Dictionary<string, double>(again.Values)
                {
                    ["portOpenSeconds"] = open.TotalSeconds,
                    ["servingSeconds"] = serving,
                    ["mountMs"] = mountMs,
                }));
            }
        }

        yield return context.Case("restart/403", "kill -9 1.5 s after the fill of 403 objects: fetched again, and seconds until it serves",
            runs);
    }
}

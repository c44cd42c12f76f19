using Breakwater.Laboratory.Stratum1;
using Breakwater.Peers.Proxies;
using Breakwater.Peers.Results;
using Breakwater.Storm.Vms;

namespace Breakwater.Peers.Scenarios;

/// <summary>Objects that nobody has asked for yet, each once: what a miss costs, stored and all.</summary>
internal static class MissScenario
{
    private const int Objects = 20_000;
    private const int SizeBytes = 16 * 1024;
    private const int Connections = 32;

    /// <summary>Runs it.</summary>
    public static IEnumerable<RaceCase> Run(RaceContext context)
    {
        IReadOnlyList<ServedObject> objects = ObjectSet.Fixed(Objects, SizeBytes, seed: 7);
        using var upstream = new UpstreamServer(objects, new UpstreamOptions());
        BootTrace[] halves = [.. objects.Select(o => o.Path).Chunk(Objects / 2).Select(BootTrace.Of)];
        var runs = new List<PeerRun>();
        for (int run = 0; run < context.Runs; run++)
        {
            foreach (string name in context.Order(run))
            {
                using Peer peer = context.Create(name);
                peer.Start(upstream.Port);

                // Unmeasured: a just-in-time compiler and whatever fills up first have the same time to settle.
                _ = StormRun.Run(Load(peer, upstream, halves[0]));
                runs.Add(RaceContext.Measure(peer, upstream, Load(peer, upstream, halves[1])));
            }
        }

        yield return context.Case("misses/16KB", $"misses of 16 KB, {Connections} connections, each object once", runs);
    }

    private static StormOptions Load(Peer peer, UpstreamServer upstream, BootTrace trace) =>
        RaceContext.Boots(peer, upstream, trace, 1) with { ConnectionsPerVm = Connections, WaitsForever = true };
}

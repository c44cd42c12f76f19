using Breakwater.Laboratory.Stratum1;
using Breakwater.Peers.Proxies;
using Breakwater.Peers.Results;
using Breakwater.Storm.Vms;

namespace Breakwater.Peers.Scenarios;

/// <summary>Many ask for one object of 8 MiB while the upstream drips it.</summary>
internal static class FollowersScenario
{
    /// <summary>The cases: how many, when, at which rate.</summary>
    public static IReadOnlyList<(string Id, string Title, int Vms, string Arrival, int MegabytesPerSecond)> Cases { get; } =
    [
        ("followers/50-4MBps", "8 MiB dripped at 4 MB/s, 50 followers 500 ms later", 51, "leader:500", 4),
        ("followers/50-1MBps", "8 MiB dripped at 1 MB/s, 50 followers 500 ms later", 51, "leader:500", 1),
        ("followers/1000-4MBps", "8 MiB dripped at 4 MB/s, 1,000 at once", 1000, "once", 4),
    ];

    /// <summary>Runs one case, each time on a fresh instance.</summary>
    public static IEnumerable<RaceCase> Run(RaceContext context, string id)
    {
        (_, string title, int vms, string arrival, int rate) = Cases.Single(c => c.Id == id);
        IReadOnlyList<ServedObject> objects = ObjectSet.Fixed(1, ObjectSet.BigSizeBytes, seed: 5);
        using var upstream = new UpstreamServer(objects, new UpstreamOptions { BytesPerSecond = rate * 1_000_000L });
        var runs = new List<PeerRun>();
        for (int run = 0; run < context.Runs; run++)
        {
            foreach (string name in context.Order(run))
            {
                using Peer peer = context.Create(name);
                peer.Start(upstream.Port);
                runs.Add(RaceContext.Measure(peer, upstream, RaceContext.Boots(peer, upstream, BootTrace.Of([objects[0].Path]), vms) with
                {
                    WaitsForever = true,
                    ArrivalCurve = arrival,
                    TimeLimit = TimeSpan.FromSeconds(45),
                }));
            }
        }

        yield return context.Case(id, title, runs);
    }
}

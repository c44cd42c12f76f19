using System.Net;
using Breakwater.Laboratory.Stratum1;
using Breakwater.Peers.Measuring;
using Breakwater.Peers.Proxies;
using Breakwater.Peers.Results;
using Breakwater.Storm.Hot;

namespace Breakwater.Peers.Scenarios;

/// <summary>Hits of one size at a number of connections. All peers stand filled; while one is measured the others are stopped.</summary>
internal static class HotScenario
{
    /// <summary>The sizes of the matrix, and how many objects of each: a set that every peer holds in memory.</summary>
    public static IReadOnlyDictionary<string, (int SizeBytes, int Count)> Sizes { get; } = new Dictionary<string, (int, int)>
    {
        ["1KB"] = (1024, 512),
        ["4KB"] = (4096, 512),
        ["32KB"] = (32 * 1024, 512),
        ["256KB"] = (256 * 1024, 64),
        ["8MB"] = (8 * 1024 * 1024, 8),
    };

    /// <summary>Numbers of connections in the matrix.</summary>
    public static IReadOnlyList<int> Connections { get; } = [64, 512, 4096];

    /// <summary>Runs one size at each number of connections.</summary>
    public static IEnumerable<RaceCase> Run(RaceContext context, string size, IReadOnlyList<int> connections)
    {
        (int sizeBytes, int count) = Sizes[size];
        IReadOnlyList<ServedObject> objects = ObjectSet.Fixed(count, sizeBytes, seed: 1);
        string[] paths = [.. objects.Select(o => o.Path)];
        using var upstream = new UpstreamServer(objects, new UpstreamOptions());
        var peers = new Dictionary<string, Peer>();
        try
        {
            foreach (string name in context.Peers)
            {
                peers[name] = context.Create(name);
                peers[name].Start(upstream.Port);
                RaceContext.Fill(peers[name], upstream, paths);

                // Unmeasured: caches of any kind and a just-in-time compiler get the same time to settle.
                _ = Measure(context, peers[name], upstream, paths, sizeBytes, connections[0]);
                peers[name].Tree.Signal(ProcessTree.SigStop);
            }

            foreach (int number in connections)
            {
                var runs = new List<PeerRun>();
                for (int run = 0; run < context.Runs; run++)
                {
                    foreach (string name in context.Order(run))
                    {
                        peers[name].Tree.Signal(ProcessTree.SigCont);
                        runs.Add(Measure(context, peers[name], upstream, paths, sizeBytes, number));
                        peers[name].Tree.Signal(ProcessTree.SigStop);
                    }
                }

                yield return context.Case($"hot/{size}/{number}", $"hits of {size}, {number:N0} connections", runs);
            }
        }
        finally
        {
            foreach (Peer peer in peers.Values)
            {
                peer.Dispose();
            }
        }
    }

    /// <summary>One load of hits on a running, filled peer.</summary>
    public static PeerRun Measure(RaceContext context, Peer peer, UpstreamServer upstream, IReadOnlyList<string> paths, int sizeBytes,
        int connections)
    {
        ProcessTree tree = peer.Tree;
        double before = 0, after = 0;
        Noise quiet = default, noise = default;
        upstream.Reset();
        HotResult result = HotLoad.Run(
            new HotOptions
            {
                Paths = paths,
                Target = peer.EndPoint,
                Host = new IPEndPoint(IPAddress.Loopback, upstream.Port),
                IsForward = peer.IsForward,
                Connections = connections,
                WarmUp = TimeSpan.FromSeconds(connections > 1000 ? 2 : 1),
                Duration = context.Measured,
            },
            () => (before, after, quiet, noise) = (after, tree.CpuSeconds(), noise, Noise.Now(tree)));
        double answers = result.BytesPerSecond / sizeBytes;
        return PeerRun.Of(peer.Name, new Dictionary<string, double>
        {
            ["requestsPerSecond"] = answers,
            ["megabytesPerSecond"] = result.BytesPerSecond / 1e6,
            ["serverUs"] = (after - before) * 1e6 / (answers * context.Measured.TotalSeconds),
            ["generatorUs"] = result.GeneratorUsPerRequest,
            ["p50Ms"] = result.Latency.P50Ms,
            ["p99Ms"] = result.Latency.P99Ms,
            ["errors"] = result.Errors,
            ["noisePercent"] = noise.PercentSince(quiet, context.Measured),
            ["upstreamRequests"] = upstream.Counters().Requests,
            ["residentMb"] = tree.Memory().ResidentBytes / 1e6,
        });
    }
}

using Breakwater.Laboratory.Net;
using Breakwater.Laboratory.Stratum1;
using Breakwater.Peers.Proxies;
using Breakwater.Peers.Results;
using Breakwater.Storm.Client;
using Breakwater.Storm.Vms;

namespace Breakwater.Peers.Scenarios;

/// <summary>The recorded boot of a real repository: a great storm in check mode, and a new revision.</summary>
internal static class MiniosScenario
{
    private const string Manifest = "/cvmfs/minios.example.org/.cvmfspublished";

    /// <summary>A manifest is fresh for 61 s; after that every cache has to look again.</summary>
    private static readonly TimeSpan s_manifestAge = TimeSpan.FromSeconds(63);

    /// <summary>
    /// Many VMs boot revision 1, each with 4 connections, or as many as this process may have open; every body is checked; the 5 s rule
    /// holds.
    /// </summary>
    public static IEnumerable<RaceCase> Storm(RaceContext context, int vms)
    {
        using UpstreamServer upstream = Repository(context, "v1");
        BootTrace trace = Trace(context, "v1");
        int connections = Math.Clamp((int)Native.RaiseOpenFileLimit() * 8 / 10 / vms, 1, 4);
        var runs = new List<PeerRun>();
        for (int run = 0; run < context.Runs; run++)
        {
            foreach (string name in context.Order(run))
            {
                using Peer peer = context.Create(name);
                peer.Start(upstream.Port);
                runs.Add(RaceContext.Measure(peer, upstream, RaceContext.Boots(peer, upstream, trace, vms) with
                {
                    Mode = BodyMode.Check,
                    WaitsForever = true,
                    ConnectionsPerVm = connections,
                    TimeLimit = TimeSpan.FromSeconds(200),
                }));
            }
        }

        yield return context.Case($"minios/{vms}",
            $"{vms:N0} VMs boot minios (3.6 MB each), all at once, {connections} connections each, every body checked", runs);
    }

    /// <summary>
    /// 100 VMs boot revision 1, revision 2 is published, and once the manifest has aged 100 VMs boot that. All peers run side by side, so
    /// that they wait together. What counts: object requests upstream during the second storm (13 are new), and its time against a third,
    /// warm one.
    /// </summary>
    public static IEnumerable<RaceCase> Revision(RaceContext context)
    {
        var upstreams = context.Peers.ToDictionary(p => p, _ => Repository(context, "v1"));
        var peers = new Dictionary<string, Peer>();
        try
        {
            foreach (string name in context.Peers)
            {
                peers[name] = context.Create(name);
                peers[name].Start(upstreams[name].Port);
                _ = RaceContext.Measure(peers[name], upstreams[name], Boot(peers[name], upstreams[name], Trace(context, "v1")));
                upstreams[name].Publish(Manifest, ManifestOf(context, "v2"));
                upstreams[name].Reset();
            }

            Thread.Sleep(s_manifestAge);
            BootTrace second = Trace(context, "v2");
            var runs = new List<PeerRun>();
            foreach (string name in context.Peers)
            {
                double ahead = upstreams[name].Counters().ObjectRequests;
                PeerRun fresh = RaceContext.Measure(peers[name], upstreams[name], Boot(peers[name], upstreams[name], second));
                PeerRun warm = RaceContext.Measure(peers[name], upstreams[name], Boot(peers[name], upstreams[name], second));
                runs.Add(PeerRun.Of(name, new Dictionary<string, double>(fresh.Values)
                {
                    ["prefetched"] = ahead,
                    ["warmSeconds"] = warm.Values["seconds"],
                    ["againstWarm"] = fresh.Values["seconds"] / warm.Values["seconds"],
                }));
            }

            return [context.Case("revision/minios", "new revision of minios (13 new objects), 63 s later 100 VMs boot it", runs)];
        }
        finally
        {
            foreach (string name in context.Peers)
            {
                peers.GetValueOrDefault(name)?.Dispose();
                upstreams[name].Dispose();
            }
        }
    }

    private static StormOptions Boot(Peer peer, UpstreamServer upstream, BootTrace trace) =>
        RaceContext.Boots(peer, upstream, trace, 100) with
        {
            Mode = BodyMode.Check,
            WaitsForever = true,
            ConnectionsPerVm = 4,
            TimeLimit = TimeSpan.FromSeconds(60),
        };

    private static UpstreamServer Repository(RaceContext context, string revision) => new(
        RepositoryTree.Read(Path.Combine(Fixtures(context), "minios.example.org.tar"))
        .Append(new ServedObject(Manifest, ManifestOf(context, revision))),
        new UpstreamOptions { Delay = TimeSpan.FromMilliseconds(30) });

    private static byte[] ManifestOf(RaceContext context, string revision) =>
        File.ReadAllBytes(Path.Combine(Fixtures(context), "minios", $"cvmfspublished.{revision}"));

    private static BootTrace Trace(RaceContext context, string revision) =>
        BootTrace.Read(Path.Combine(Fixtures(context), "minios", $"boot-requests.{revision}.txt"));

    private static string Fixtures(RaceContext context) => Path.Combine(context.Root, "perf", "Laboratory", "fixtures");
}

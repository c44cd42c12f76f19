using System.Net;
using Breakwater.Laboratory.Stratum1;
using Breakwater.Peers.Measuring;
using Breakwater.Peers.Proxies;
using Breakwater.Peers.Results;
using Breakwater.Storm.Vms;

namespace Breakwater.Peers.Scenarios;

/// <summary>What every scenario needs: who races, how often, and how to tell.</summary>
internal sealed record RaceContext
{
    /// <summary>Who races.</summary>
    public required IReadOnlyList<string> Peers { get; init; }

    /// <summary>How often each case is run; the order of the peers rotates.</summary>
    public required int Runs { get; init; }

    /// <summary>Where Breakwater was published to; null when it does not race.</summary>
    public required string? BreakwaterDirectory { get; init; }

    /// <summary>Commit of the checkout.</summary>
    public required string Commit { get; init; }

    /// <summary>Root of the checkout.</summary>
    public required string Root { get; init; }

    /// <summary>Congestion control of every connection, whoever makes it.</summary>
    public required string Congestion { get; init; }

    /// <summary>Rate of the link between all of them, e.g. <c>10gbit</c>; null: loopback as it is.</summary>
    public string? Link { get; init; }

    /// <summary>Length of one measurement of hits.</summary>
    public TimeSpan Measured { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>A new instance of a peer in a fresh directory.</summary>
    /// <exception cref="ArgumentException">No such peer.</exception>
    public Peer Create(string name) => name switch
    {
        "squid" => new Squid(),
        "squid-16mb" => new Squid(inMemoryKb: 16_384),
        "nginx" => new Nginx(),
        "varnish" => new Varnish(),
        "ats" => new TrafficServer(),
        "haproxy" => new HaProxy(),
        LimitPeer.PeerName => new LimitPeer(),
        "breakwater" => new BreakwaterPeer(BreakwaterDirectory!, Congestion),
        BreakwaterPeer.Known => new BreakwaterPeer(BreakwaterDirectory!, Congestion, BreakwaterPeer.Known),
        _ => throw new ArgumentException(
            $"'{name}' is no peer; choose from squid, squid-16mb, nginx, varnish, ats, haproxy, limit, breakwater, breakwater+known"),
    };

    /// <summary>The peers in the order of a run.</summary>
    public IEnumerable<string> Order(int run) => Peers.Skip(run % Peers.Count).Concat(Peers.Take(run % Peers.Count));

    /// <summary>A case with its runs.</summary>
    public RaceCase Case(string id, string title, IReadOnlyList<PeerRun> runs)
    {
        id = Link is null ? id : $"{Link}/{id}";
        var row = new RaceCase
        {
            Id = id,
            Title = title,
            Date = DateTimeOffset.UtcNow,
            Commit = Commit,
            Congestion = Congestion,
            Runs = runs
        };
        foreach (PeerRun run in runs)
        {
            Console.WriteLine($"{id,-28} {run.Peer,-12} "
                + string.Join("  ", run.Values.Select(v => FormattableString.Invariant($"{v.Key}={v.Value:0.##}"))));
        }

        return row;
    }

    /// <summary>
    /// Brings objects into a peer: one VM with 8 connections, twice, so that what a peer keeps on the second request is kept too.
    /// </summary>
    public static void Fill(Peer peer, UpstreamServer upstream, IEnumerable<string> paths)
    {
        for (int pass = 0; pass < 2; pass++)
        {
            StormResult filled =
                StormRun.Run(Boots(peer, upstream, BootTrace.Of([.. paths]), 1) with { ConnectionsPerVm = 8, WaitsForever = true });
            if (filled.Finished != 1)
            {
                throw new IOException($"{peer.Name} could not be filled: {string.Join(", ", filled.Failures)}");
            }
        }
    }

    /// <summary>VMs that boot through a peer; nobody goes DIRECT.</summary>
    public static StormOptions Boots(Peer peer, UpstreamServer upstream, BootTrace trace, int vms) => new()
    {
        Vms = vms,
        Trace = trace,
        Hosts = [new IPEndPoint(IPAddress.Loopback, upstream.Port)],
        Proxies = [peer.EndPoint],
        IsForward = peer.IsForward,
    };

    /// <summary>Runs a storm through a peer and takes everything down that reports need.</summary>
    public static PeerRun Measure(Peer peer, UpstreamServer upstream, StormOptions storm)
    {
        ProcessTree tree = peer.Tree;
        using var memory = new MemoryWatch(tree);
        double cpu = tree.CpuSeconds();
        upstream.Reset();
        StormResult result = StormRun.Run(storm);
        cpu = tree.CpuSeconds() - cpu;
        UpstreamCounters counters = upstream.Counters();
        var values = new Dictionary<string, double>
        {
            ["seconds"] = result.Seconds,
            ["finished"] = result.Finished,
            ["vms"] = result.Vms,
            ["gaveUp"] = result.GaveUp,
            ["exiles"] = result.Exiles,
            ["bootP50Ms"] = result.Boot.P50Ms,
            ["bootP99Ms"] = result.Boot.P99Ms,
            ["bootMaxMs"] = result.Boot.MaxMs,
            ["firstByteP50Ms"] = result.FirstByte.P50Ms,
            ["firstByteP99Ms"] = result.FirstByte.P99Ms,
            ["firstByteMaxMs"] = result.FirstByte.MaxMs,
            ["requests"] = result.Requests,
            ["clientBytes"] = result.BodyBytes,
            ["wrongBodies"] = result.WrongBodies,
            ["upstreamRequests"] = counters.ObjectRequests,
            ["upstreamDistinct"] = counters.DistinctObjects,
            ["upstreamBytes"] = counters.BodyBytes,
            ["upstreamMaxConcurrent"] = counters.MaxConcurrent,
            ["afterUpstreamSeconds"] = result.Seconds - counters.LastByteSeconds,
            ["serverUs"] = cpu * 1e6 / Math.Max(1, result.Requests),
            ["generatorUs"] = result.GeneratorUsPerRequest,
            ["peakResidentMb"] = memory.PeakResidentBytes / 1e6,
            ["peakAnonymousMb"] = memory.PeakAnonymousBytes / 1e6,
        };
        var series = new Dictionary<string, IReadOnlyList<double>>
        {
            ["finished"] = [.. result.FinishedTimeline.Select(v => (double)v)],
            ["upstreamConcurrency"] = [.. counters.ConcurrencyTimeline.Select(v => (double)v)],
        };
        return new PeerRun(peer.Name, values, series);
    }
}

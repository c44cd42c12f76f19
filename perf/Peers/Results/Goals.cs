using System.Globalization;
using System.Text;

namespace Breakwater.Peers.Results;

/// <summary>What Breakwater has to reach, and whether it does: computed from the results, never written by hand.</summary>
internal static class Goals
{
    private const string Us = "breakwater", Known = "breakwater+known";

    private static readonly string[] s_peers = ["nginx", "varnish", "ats", "haproxy", "squid"];

    private static readonly (string Goal, string Case, Func<RaceCase, (double? Figure, bool Reached)> Judge)[] s_goals =
    [
        Hits("1 KB hits, 64 connections ≥ 1.6 × nginx", "hot/1KB/64", "nginx", 1.6),
        Hits("1 KB ≥ 1.6 × Varnish", "hot/1KB/64", "varnish", 1.6),
        Hits("4 KB ≥ 1.6 × nginx", "hot/4KB/64", "nginx", 1.6),
        Hits("4 KB ≥ 1.6 × Varnish", "hot/4KB/64", "varnish", 1.6),
        Hits("4 KB: share of the limit ≥ 0.75", "hot/4KB/64", "limit", 0.75),
        Hits("32 KB ≥ 1.5 × nginx", "hot/32KB/64", "nginx", 1.5),
        Hits("256 KB, 64 connections ≥ 1.15 × nginx", "hot/256KB/64", "nginx", 1.15),
        Hits("256 KB, 512 connections ≥ 1.15 × nginx", "hot/256KB/512", "nginx", 1.15),
        Hits("8 MB ≥ 2 × nginx", "hot/8MB/64", "nginx", 2),
        AtMost("8,000 idle connections cost ≤ 1 KB each", "idle/8000", Us, "kbPerIdle", 1),
        Storm("storm 1,000 × 403, nothing known ≤ 0.9 × the best peer", "storm/1000x403", Us, 0.9),
        AtMost("… upstream requests exactly 403", "storm/1000x403", Us, "upstreamRequests", 403),
        AtMost("… anonymous memory ≤ 500 MB", "storm/1000x403", Us, "peakAnonymousMb", 500),
        AtMost("… exiles 0", "storm/1000x403", Us, "exiles", 0),
        Storm("storm 1,000 × 403, working set known ≤ 0.6 × the best peer", "storm/1000x403", Known, 0.6),
        AtMost("storm 100 × 403, working set known ≤ 4 s (floor without looking ahead: 12.1 s)", "storm/100x403", Known, "seconds", 4),
        Storm("storm 2,000 × 100, nothing known ≤ 0.8 × the best peer", "storm/2000x100", Us, 0.8),
        Storm("storm 2,000 × 100, known ≤ 0.6 × the best peer", "storm/2000x100", Known, 0.6),
        AtMost("new revision: 0 object requests upstream in the storm", "revision/minios", Us, "upstreamRequests", 0),
        AtMost("new revision ≤ 1.05 × the warm storm", "revision/minios", Us, "againstWarm", 1.05),
        AtMost("1,000 followers of 8 MB at 4 MB/s: first byte max < 2 s (ms)", "followers/1000-4MBps", Us, "firstByteMaxMs", 2000),
        AtMost("… last done ≤ 0.5 s after the upstream's last byte", "followers/1000-4MBps", Us, "afterUpstreamSeconds", 0.5),
        AtMost("… exactly 1 upstream request", "followers/1000-4MBps", Us, "upstreamRequests", 1),
        AtMost("… 1 at 1 MB/s too", "followers/50-1MBps", Us, "upstreamRequests", 1),
        AtMost("restart after kill -9: 0 fetched again", "restart/403", Us, "upstreamRequests", 0),
        AtMost("… serving ≤ 0.35 s", "restart/403", Us, "servingSeconds", 0.35),
        AtMostOf("first mount after a start ≤ 1.0 × squid", "restart/403", "mountMs", "squid", 1),
        AtMostOf("processor time of a miss ≤ 1.5 × nginx", "misses/16KB", "serverUs", "nginx", 1.5),
        AtMost("10,000 VMs of minios: exiles 0", "minios/10000", Us, "exiles", 0),
        AtMost("… wrong bodies 0", "minios/10000", Us, "wrongBodies", 0),
    ];

    /// <summary>The table of goals.</summary>
    public static string Markdown(RaceResults results)
    {
        var text = new StringBuilder("| goal | figure | |\n|---|---|---|\n");
        foreach ((string goal, string id, Func<RaceCase, (double? Figure, bool Reached)> judge) in s_goals)
        {
            RaceCase? one = results.Cases.FirstOrDefault(c => c.Id == id);
            (double? figure, bool reached) = one is null ? (null, false) : judge(one);
            bool isNoisy = one is not null && Tables.IsTooNoisy(one);
            bool isRace = id.StartsWith("storm/", StringComparison.Ordinal) && goal.EndsWith("best peer", StringComparison.Ordinal);
            string verdict = figure is null ? "not measured" : isNoisy ? "too noisy to judge" : !reached ? "**not reached**"
                : isRace && one!.Congestion is null ? "on unequal terms only" : "reached";
            text.Append(CultureInfo.InvariantCulture, $"| {goal} | {figure:#,0.##} | {verdict} |\n");
        }

        return text.ToString();
    }

    private static (string, string, Func<RaceCase, (double?, bool)>) Hits(string goal, string id, string other, double least) =>
        (goal, id, one =>
    {
        double? ratio = one.Median(Us, "requestsPerSecond") / one.Median(other, "requestsPerSecond");
        return (ratio, ratio >= least);
    }
    );

    private static (string, string, Func<RaceCase, (double?, bool)>) AtMost(string goal, string id, string peer, string value,
        double most) => (goal, id, one =>
    {
        double? figure = one.Median(peer, value);
        return (figure, figure <= most);
    }
    );

    private static (string, string, Func<RaceCase, (double?, bool)>) AtMostOf(string goal, string id, string value, string other,
        double most) => (goal, id, one =>
    {
        double? ratio = one.Median(Us, value) / one.Median(other, value);
        return (ratio, ratio <= most);
    }
    );

    /// <summary>Against the fastest peer whose VMs all finished.</summary>
    private static (string, string, Func<RaceCase, (double?, bool)>) Storm(string goal, string id, string peer, double most) =>
        (goal, id, one =>
    {
        double? best = s_peers.Where(p => one.Median(p, "finished") == one.Median(p, "vms")).Select(p => one.Median(p, "seconds")).Min();
        double? ratio = one.Median(peer, "finished") == one.Median(peer, "vms") ? one.Median(peer, "seconds") / best : null;
        return (ratio, ratio <= most);
    }
    );
}

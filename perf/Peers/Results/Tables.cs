using System.Globalization;
using System.Text;

namespace Breakwater.Peers.Results;

/// <summary>Results as Markdown tables.</summary>
internal static class Tables
{
    /// <summary>In the order of the reports.</summary>
    public static IReadOnlyList<string> PeerOrder { get; } =
        ["limit", "breakwater", "breakwater+known", "nginx", "varnish", "ats", "haproxy", "squid", "squid-16mb"];

    private static readonly (string Scenario, string Title, Column[] Columns)[] s_tables =
    [
        ("idle", "Idle connections",
            [new("requests/s", "requestsPerSecond"), new("p99 ms", "p99Ms", "0.0"), new("KB per idle connection", "kbPerIdle", "0.0"),
            new("server µs", "serverUs", "0.0")]),
        ("storm", "Cold storms, one connection a VM, empty caches", s_storm),
        ("followers", "Followers of an object that the upstream drips", [
            new("first byte p50 ms", "firstByteP50Ms"), new("first byte max ms", "firstByteMaxMs"), new("all done s", "seconds", "0.0"),
            new("finished", "finished"), new("s after upstream's last byte", "afterUpstreamSeconds", "0.00"),
                new("upstream requests", "upstreamRequests"),
            new("exiles", "exiles"), new("peak anonymous MB", "peakAnonymousMb")]),
        ("slow", "An upstream that needs more than 5 s", [
            new("finished", "finished"), new("exiles", "exiles"), new("errors", "gaveUp"), new("first byte max ms", "firstByteMaxMs"),
            new("upstream requests", "upstreamRequests"), new("all done s", "seconds", "0.0")]),
        ("restart", "Restart after kill -9", [
            new("objects fetched again", "upstreamRequests"), new("port open s", "portOpenSeconds", "0.00"),
                new("serving s", "servingSeconds", "0.00"), new("first mount ms", "mountMs", "0.0"),
                new("boot of 403 s", "seconds", "0.00")]),
        ("misses", "Misses", [
            new("all done s", "seconds", "0.00"), new("server µs", "serverUs"), new("first byte p99 ms", "firstByteP99Ms", "0.0"),
            new("upstream requests", "upstreamRequests")]),
        ("revision", "A new revision", [
            new("prefetched before the storm", "prefetched"), new("object requests upstream in the storm", "upstreamRequests"),
            new("storm s", "seconds", "0.00"), new("÷ warm storm", "againstWarm", "0.00"), new("wrong bodies", "wrongBodies")]),
        ("minios", "Storms of a recorded boot, every body checked",
            [.. s_storm, new("requests", "requests"), new("wrong bodies", "wrongBodies")]),
        ("10gbit", "Over a link of 10 Gbit/s, packets of 1,500 bytes", [
            new("requests/s", "requestsPerSecond"), new("all done s", "seconds", "0.0"), new("server µs", "serverUs", "0.0"),
            new("p99 ms", "p99Ms", "0.0"), new("upstream requests", "upstreamRequests")]),
    ];

    private static Column[] s_storm =>
    [
        new("all done s", "seconds", "0.0"), new("finished", "finished"), new("boot p99 ms", "bootP99Ms"),
            new("first byte max ms", "firstByteMaxMs"),
        new("exiles", "exiles"), new("upstream requests", "upstreamRequests"), new("most at once upstream", "upstreamMaxConcurrent"),
        new("server µs a request", "serverUs"), new("peak anonymous MB", "peakAnonymousMb"),
    ];

    /// <summary>What the reader must know before the figures: on which terms they were measured.</summary>
    public static string Terms(RaceResults results)
    {
        string[] equal = [.. results.Cases.Select(c => c.Congestion).OfType<string>().Distinct()];
        string[] unequal = [.. results.Cases.Where(c => c.Congestion is null).Select(c => c.Id)];
        string text = equal.Length == 0 ? "" : $"Congestion control of every connection, whoever makes it: {string.Join(", ", equal)}. ";
        if (unequal.Length == 0)
        {
            return text + "Everything runs in a network namespace of its own.";
        }

        string which = "The terms were not equal" + (unequal.Length == results.Cases.Count ? "" : " for " + string.Join(", ", unequal));
        return $"{text}**{which}.** {UnequalTerms}";
    }

    private const string UnequalTerms =
        "In these, Breakwater's connections had cubic congestion control, the peers' the machine's BBR, whose pacing is dear on a virtual "
        + "machine (profile.md), and nginx had no tcp_nopush: they say more for Breakwater than is true.";

    /// <summary>All tables, goals first.</summary>
    public static string Markdown(RaceResults results)
    {
        var text = new StringBuilder();
        text.Append("# The race\n\n").Append(Provenance(results)).Append('\n');
        text.Append(Terms(results)).Append("\n\n");
        text.Append("Ratios are taken within one run of one case; absolute figures belong to this machine at that hour. ")
            .Append("An exile is a Micro-CernVM that would have left the proxy for a day (5 s without a byte, or below 1,024 B/s). ")
            .Append("Server µs: processor time of all of the peer's processes by answered request. Medians. ")
            .Append("Noise: the share of the processors that went to strangers during the worst peer's load; above 10 % requests/s mean "
            + "little, server µs a little more.\n\n");
        text.Append("## Goals\n\n").Append(Goals.Markdown(results)).Append('\n');
        text.Append("## Hits: requests/s (server µs a request)\n\n").Append(Hot(results)).Append('\n');
        foreach ((string scenario, string title, Column[] columns) in s_tables)
        {
            RaceCase[] cases = [.. results.Cases.Where(c => c.Scenario == scenario)];
            if (cases.Length > 0)
            {
                text.Append("## ").Append(title).Append("\n\n");
                foreach (RaceCase one in cases)
                {
                    text.Append(Of(one, columns)).Append('\n');
                }
            }
        }

        return text.ToString();
    }

    /// <summary>Machine, versions, dates and commits.</summary>
    public static string Provenance(RaceResults results)
    {
        string versions = string.Join(", ", results.Versions.OrderBy(v => Order(v.Key)).Select(v => $"{v.Key} {Named(v.Value)}"));
        DateTimeOffset[] dates = [.. results.Cases.Select(c => c.Date).Order()];
        string when = dates.Length == 0
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $" Measured {dates[0]:yyyy-MM-dd HH:mm} to {dates[^1]:yyyy-MM-dd HH:mm} UTC");
        string commits = string.Join(", ", results.Cases.Select(c => c.Commit).Distinct());
        return $"{results.Machine}.\n{versions}.{when}, commits {commits}.\n";
    }

    /// <summary>What is built from a checkout is named by its commit: its version is that of the latest release, which it is not.</summary>
    private static string Named(string version) =>
        version.IndexOf('+', StringComparison.Ordinal) is > 0 and int at
            ? $"of commit {version[(at + 1)..Math.Min(version.Length, at + 8)]}"
            : version;

    /// <summary>The loads of hits on so many connections of which something may be concluded.</summary>
    public static IEnumerable<RaceCase> HotOf(RaceResults results, int connections) => results.Cases.Where(
        c => c.Scenario == "hot" && !IsTooNoisy(c) && c.Id.EndsWith($"/{connections}", StringComparison.Ordinal));

    /// <summary>The matrix of hits.</summary>
    public static string Hot(RaceResults results, int? onlyConnections = null)
    {
        RaceCase[] cases =
            [.. (onlyConnections is { } connections ? HotOf(results, connections) : results.Cases.Where(c => c.Scenario == "hot"))
            .OrderBy(c => SizeOf(c.Id)).ThenBy(c => int.Parse(c.Id.Split('/')[2], CultureInfo.InvariantCulture))];
        string[] peers = PeersOf(cases);
        var text = new StringBuilder("| size, connections |");
        text.AppendJoin("", peers.Select(p => $" {p} |"))
            .Append(" ÷ nginx | ÷ varnish | ÷ squid | share of the limit | µs ÷ nginx's | noise % |\n|---|")
            .Append(string.Concat(Enumerable.Repeat("---|", peers.Length + 6))).Append('\n');
        foreach (RaceCase one in cases)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {one.Id.Split('/')[1]}, {one.Id.Split('/')[2]} |");
            foreach (string peer in peers)
            {
                text.Append(one.Median(peer, "requestsPerSecond") is { } rate
                    ? string.Create(CultureInfo.InvariantCulture, $" {rate:#,0} ({one.Median(peer, "serverUs"):#,0}) |")
                    : " – |"); // not measured
            }

            foreach (string other in new[] { "nginx", "varnish", "squid", Proxies.LimitPeer.PeerName })
            {
                double? ratio = one.Median("breakwater", "requestsPerSecond") / one.Median(other, "requestsPerSecond");
                text.Append($" {ratio?.ToString("0.00", CultureInfo.InvariantCulture) ?? "–"} |");
            }

            text.Append(CultureInfo.InvariantCulture,
                $" {one.Median("breakwater", "serverUs") / one.Median("nginx", "serverUs"):0.00} | {Noise(one):0} |\n");
        }

        return text.ToString();
    }

    /// <summary>Percent of the machine that went to strangers during a load, at its worst peer: above 10, requests/s mean little.</summary>
    public static double Noise(RaceCase one) => one.Runs.Select(r => r.Peer).Distinct().Max(p => one.Median(p, "noisePercent") ?? 0);

    /// <summary>A load of hits of which nothing should be concluded.</summary>
    public static bool IsTooNoisy(RaceCase one) => one.Scenario == "hot" && Noise(one) > 10;

    /// <summary>One case: a row a peer.</summary>
    public static string Of(RaceCase one, IReadOnlyList<Column> columns)
    {
        var text = new StringBuilder(
            string.Create(CultureInfo.InvariantCulture, $"{Capital(one.Title)} ({one.Date:yyyy-MM-dd}, {one.Commit}):\n\n| |"));
        text.AppendJoin("", columns.Select(c => $" {c.Header} |")).Append("\n|---|")
            .Append(string.Concat(Enumerable.Repeat("---|", columns.Count))).Append('\n');
        foreach (string peer in PeersOf([one]))
        {
            text.Append("| ").Append(peer).Append(" |")
                .AppendJoin("", columns.Select(c => $" {one.Median(peer, c.Value)?.ToString(c.Format, CultureInfo.InvariantCulture)} |"))
                .Append('\n');
        }

        return text.ToString();
    }

    /// <summary>The peers of some cases in the order of the reports.</summary>
    public static string[] PeersOf(IEnumerable<RaceCase> cases) =>
        [.. cases.SelectMany(c => c.Runs).Select(r => r.Peer).Distinct().OrderBy(Order)];

    private static int Order(string peer) => PeerOrder.ToList().IndexOf(peer) is var i && i < 0 ? int.MaxValue : i;

    private static int SizeOf(string id) =>
        Scenarios.HotScenario.Sizes.TryGetValue(id.Split('/')[1], out (int SizeBytes, int) size) ? size.SizeBytes : 0;

    private static string Capital(string title) => char.ToUpperInvariant(title[0]) + title[1..];
}

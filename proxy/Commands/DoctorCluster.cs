using System.Diagnostics;
using System.Globalization;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands;

/// <summary>Compares the nodes of a site: lists, clocks, versions, certificates, and what each holds by order.</summary>
internal static class DoctorCluster
{
    private const string Name = "nodes";

    /// <summary>Whitelists and certificates are judged by each node's own clock.</summary>
    private static readonly TimeSpan s_clockTolerance = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan s_certificateWarning = TimeSpan.FromDays(30);

    /// <summary>Asks the running node for what all nodes say.</summary>
    public static async Task<IEnumerable<DoctorCheck>> CheckAsync(BreakwaterSettings settings, CancellationToken cancellationToken)
    {
        if (!settings.Cluster.IsOn)
        {
            return [];
        }

        List<DoctorCheck> checks = [];
        List<(NodeFacts Facts, TimeSpan Ahead)> nodes = [];
        try
        {
            using var here = new AdminClient(settings);
            ClusterView site = await here.GetAsync<ClusterView>("cluster", cancellationToken);
            NodeFacts mine = await here.GetAsync<NodeFacts>("cluster/facts", cancellationToken);
            nodes.Add((mine, TimeSpan.Zero));
            long began = Stopwatch.GetTimestamp();
            foreach (NodeRow node in site.Nodes.Where(node => !node.IsSelf))
            {
                string name = node.Id ?? node.Address;
                try
                {
                    using var there = new AdminClient(settings, name);
                    TimeSpan before = Stopwatch.GetElapsedTime(began);
                    NodeFacts facts = await there.GetAsync<NodeFacts>("cluster/facts", cancellationToken);
                    TimeSpan asked = (before + Stopwatch.GetElapsedTime(began)) / 2;
                    nodes.Add((facts, facts.Now - mine.Now - asked));
                }
                catch (Exception e) when (e is AdminException or HttpRequestException)
                {
                    checks.Add(new DoctorCheck(Name, CheckLevel.Warning, $"{name} is {node.State} and was not compared: {e.Message}",
                        "what a command did meanwhile it lacks: run that again with --all-nodes when it is back"));
                }
            }
        }
        catch (Exception e) when (e is AdminException or HttpRequestException)
        {
            return [new DoctorCheck(Name, CheckLevel.Warning, $"not compared: {e.Message}")];
        }

        checks.AddRange(Compare(nodes, DateTimeOffset.UtcNow));
        return checks;
    }

    /// <summary>What differs, and what ends soon; one line that all is well if nothing does. Pure.</summary>
    /// <param name="nodes">What each says, the first is the one that asks, and how far its clock is ahead of that one's.</param>
    /// <param name="now">The time.</param>
    public static IEnumerable<DoctorCheck> Compare(IReadOnlyList<(NodeFacts Facts, TimeSpan Ahead)> nodes, DateTimeOffset now)
    {
        NodeFacts mine = nodes[0].Facts;
        List<DoctorCheck> checks = [];
        void Look(string id, string found, string next) =>
            checks.Add(new DoctorCheck($"node {id}", CheckLevel.Warning, found, next));
        foreach ((NodeFacts node, TimeSpan ahead) in nodes)
        {
            TimeSpan left = node.CertificateEnds - now;
            if (left < s_certificateWarning)
            {
                checks.Add(new DoctorCheck($"node {node.Id}", left < TimeSpan.Zero ? CheckLevel.Failure : CheckLevel.Warning,
                    $"its certificate ends at {node.CertificateEnds:u}", $"breakwater cluster certificates --node {node.Id}, where the "
                    + "authority is, and bring it the file; no restart is needed"));
            }

            if (ahead.Duration() > s_clockTolerance)
            {
                Look(node.Id, string.Create(CultureInfo.InvariantCulture,
                    $"its clock is {ahead.Duration().TotalSeconds:0} s {(ahead > TimeSpan.Zero ? "ahead" : "behind")} of {mine.Id}'s"),
                    "let both follow the same time servers: certificates and whitelists are judged by them");
            }

            foreach (string undone in node.Undone)
            {
                Look(node.Id, $"it could not do what is declared: {undone}", "see 'breakwater status' there");
            }

            Differ(!mine.Nodes.SequenceEqual(node.Nodes), $"its Cluster:Nodes is {string.Join(", ", node.Nodes)}");
            Differ(mine.Version != node.Version, $"it is version {node.Version}, {mine.Id} is {mine.Version}");
            Differ(!mine.Authorities.SequenceEqual(node.Authorities), "it trusts other authorities (Cluster:TrustedCertificates)");
            Differ(mine.Declared != node.Declared, $"its Pins, Seeds:Files or AllowRevision are not those of {mine.Id}");
            void Differ(bool differs, string found)
            {
                if (differs)
                {
                    Look(node.Id, found,
                        "nodes of a site have the same settings and release: bring it the others' and reload or restart it");
                }
            }
        }

        checks.AddRange(Lacking(nodes.Select(node => (node.Facts.Id, node.Facts.Pins)), "pin"));
        checks.AddRange(Lacking(nodes.Select(node => (node.Facts.Id, node.Facts.Seeds)), "seed"));
        return checks.Count > 0 ? checks : [new DoctorCheck(Name, CheckLevel.Ok, string.Create(CultureInfo.InvariantCulture,
            $"{nodes.Count} agree: lists, clocks, version {mine.Version}, declared state, pins and seeds; certificates until "
            + $"{nodes.Min(node => node.Facts.CertificateEnds):yyyy-MM-dd}"))];
    }

    /// <summary>What some have and others do not.</summary>
    private static IEnumerable<DoctorCheck> Lacking(IEnumerable<(string Id, IReadOnlyList<string> Names)> nodes, string what)
    {
        (string Id, IReadOnlyList<string> Names)[] all = [.. nodes];
        foreach (string name in all.SelectMany(node => node.Names).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            string[] without = [.. all.Where(node => !node.Names.Contains(name, StringComparer.Ordinal)).Select(node => node.Id)];
            if (without.Length > 0)
            {
                yield return new DoctorCheck(Name, CheckLevel.Warning, $"the {what} '{name}' is not on {string.Join(", ", without)}",
                    "run its command again with --all-nodes, or declare it in the settings of all nodes");
            }
        }
    }
}

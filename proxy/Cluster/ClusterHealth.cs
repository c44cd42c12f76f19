using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Cluster;

/// <summary>What is not as it should be among the nodes.</summary>
internal sealed class ClusterHealth(YarpNodes nodes, NodeRefusals refusals) : IHealthSource
{
    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find()
    {
        foreach (KnownNode node in nodes.View.Known.Where(n => !n.IsSelf))
        {
            string name = node.Announcement is { } said ? $"{said.Id} ({node.Address})" : node.Address;
            HealthFinding? finding = node.Standing switch
            {
                NodeStanding.Dead => new("node-dead", HealthLevel.Degraded,
                    $"Node {name} does not answer: {node.Problem}. The others own its share until it is back."),
                NodeStanding.Foreign => new("node-foreign", HealthLevel.Degraded,
                    $"{name} in Cluster:Nodes is no node of this site: {node.Problem}."),
                NodeStanding.Duplicate => new("node-duplicate", HealthLevel.Degraded,
                    $"{name} in Cluster:Nodes is left out: {node.Problem}. Give each node its own Cluster:Name and certificate."),
                NodeStanding.Alive when nodes.IsSkipped(node.Announcement!.Id) => new("node-skipped", HealthLevel.Degraded,
                    $"Node {name} answers probes and fails real requests; it is skipped for a while. Look at its log and disk."),
                _ => null,
            };
            if (finding is not null)
            {
                yield return finding;
            }
        }

        if (nodes.View.Known.Count > 0 && nodes.View.Known.Any(n => n.AnsweredAt != 0) && !nodes.View.Known.Any(n => n.IsSelf))
        {
            yield return new HealthFinding("node-not-listed", HealthLevel.Degraded,
                "This node is not in its own Cluster:Nodes, or cannot reach itself there: the list is to be the same on all nodes.");
        }

        if (refusals.Find() is { } refused)
        {
            yield return refused;
        }
    }
}

using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Cluster;

/// <summary>The nodes on the admin port.</summary>
internal sealed class ClusterRoom(NodeSelf self, YarpNodes nodes, NodeStrikes strikes, NodeCounters counters, TimeProvider time)
    : IAdminRoom
{
    /// <inheritdoc/>
    public void Map(AdminApi admin)
    {
        counters.Watch(() => View().Nodes.GroupBy(node => node.State, StringComparer.Ordinal)
            .Select(state => (state.Key, state.Count())));
        admin.Read("cluster", "The nodes of the cluster, as this one sees them.", View);
        admin.Action("cluster/leave", "Takes this node out of the cluster: others ask it no more.", () =>
        {
            self.Leave();
            return View();
        });
        admin.Action("cluster/join", "Puts this node back into the cluster.", () =>
        {
            self.Join();
            return View();
        });
    }

    private ClusterView View()
    {
        NodeView view = nodes.View;
        double weights = view.Ring.Members.Sum(m => m.Weight);
        var totals = counters.Totals;
        return new ClusterView(self.Id, self.Announcement.Site, Telemetry.Version, self.IsMember, view.Ring.Members.Count,
            [.. view.Known.Select(node => RowOf(view, node, weights))],
            totals.Borrowed, totals.BorrowedBytes, totals.Moved, totals.Served, totals.Hedges, strikes.Total, totals.Refused);
    }

    private NodeRow RowOf(NodeView view, KnownNode node, double weights)
    {
        bool isSkipped = node is { Standing: NodeStanding.Alive, IsSelf: false } && nodes.IsSkipped(node.Announcement!.Id);
        RingMember? member = node.Standing == NodeStanding.Alive
            ? view.Ring.Members.FirstOrDefault(m => m.Id == node.Announcement!.Id) : null;
        return new NodeRow(
            node.Announcement?.Id,
            node.Address,
            isSkipped ? "skipped" : char.ToLowerInvariant(node.Standing.ToString()[0]) + node.Standing.ToString()[1..],
            node.IsSelf,
            member is null ? 0 : member.Weight / weights,
            node.Announcement?.Weight,
            node.AnsweredAt == 0 ? null : time.GetElapsedTime(node.AnsweredAt).TotalSeconds,
            isSkipped ? "it fails real requests" : node.Problem);
    }
}

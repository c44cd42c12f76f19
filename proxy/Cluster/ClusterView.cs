namespace Breakwater.Proxy.Cluster;

/// <summary>The nodes as one of them sees them, for <c>cluster status</c>, the page and other programs.</summary>
/// <param name="Id">The node that tells.</param>
/// <param name="Site">Its site.</param>
/// <param name="Version">Its version.</param>
/// <param name="IsMember">Is it in the ring itself?</param>
/// <param name="Members">How many are in the ring.</param>
/// <param name="Nodes">Everybody listed.</param>
/// <param name="Borrowed">Objects that came from other nodes since the start.</param>
/// <param name="BorrowedBytes">Their bytes.</param>
/// <param name="Moved">Of them, those that this node owns by now and another held.</param>
/// <param name="Served">Requests of other nodes since the start.</param>
/// <param name="Hedges">Second nodes asked beside a silent owner.</param>
/// <param name="Strikes">Answers of nodes that were late, broken or wrong.</param>
/// <param name="Refused">What the node port refused.</param>
internal sealed record ClusterView(string Id, string Site, string Version, bool IsMember, int Members, IReadOnlyList<NodeRow> Nodes,
    long Borrowed, long BorrowedBytes, long Moved, long Served, long Hedges, long Strikes, long Refused);

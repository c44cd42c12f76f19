using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Cluster;

/// <summary>A listed node, as this node sees it. Immutable.</summary>
/// <param name="Address">Host and port as listed.</param>
/// <param name="Standing">How it stands.</param>
/// <param name="IsSelf">Is it this node?</param>
/// <param name="Announcement">What it said of itself last; null: nothing yet.</param>
/// <param name="Problem">Why it is not alive, in words; null: it is.</param>
/// <param name="AnsweredAt">Timestamp of its last answer; 0: there was none.</param>
/// <param name="Server">How it is asked.</param>
internal sealed record KnownNode(string Address, NodeStanding Standing, bool IsSelf, NodeAnnouncement? Announcement, string? Problem,
    long AnsweredAt, Stratum1 Server);

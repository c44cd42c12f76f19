using System.Collections.Frozen;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Cluster;

/// <summary>All that this node knows of the nodes at one moment. Immutable, replaced whole.</summary>
internal sealed class NodeView
{
    private readonly FrozenDictionary<string, Stratum1> _others;

    /// <summary>Makes a view.</summary>
    /// <param name="self">This node's announcement, if it is a member.</param>
    /// <param name="known">Everybody listed.</param>
    public NodeView(NodeAnnouncement? self, IReadOnlyList<KnownNode> known)
    {
        Known = known;
        KnownNode[] others = [.. known.Where(n => n is { Standing: NodeStanding.Alive, IsSelf: false })];
        _others = others.ToFrozenDictionary(n => n.Announcement!.Id, n => n.Server, StringComparer.Ordinal);
        IEnumerable<NodeAnnouncement> members = others.Select(n => n.Announcement!);
        Ring = new Ring((self is null ? members : members.Append(self)).Select(m => new RingMember(m.Id, m.Weight)));
    }

    /// <summary>Everybody listed.</summary>
    public IReadOnlyList<KnownNode> Known { get; }

    /// <summary>The members.</summary>
    public Ring Ring { get; }

    /// <summary>The members but this node, by id.</summary>
    public IReadOnlyDictionary<string, Stratum1> Others => _others;

    /// <summary>How one of the others is asked; null: it is none.</summary>
    public Stratum1? ServerOf(RingMember? member) => member is null ? null : _others.GetValueOrDefault(member.Id);
}

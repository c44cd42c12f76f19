using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Fetching;

/// <summary>The site's other nodes, and where fetches wait their turn to borrow from them.</summary>
/// <param name="nodes">The nodes.</param>
internal sealed class NodeLine(ISiteNodes nodes)
{
    /// <summary>The nodes.</summary>
    public ISiteNodes Nodes => nodes;

    /// <summary>The line: apart from the places for Stratum 1s, see <see cref="NodeWay"/>.</summary>
    public FetchQueue Queue { get; } = new(NodeWay.MaxBorrowed, NodeWay.MaxBorrowed / 2);
}

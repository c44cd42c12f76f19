namespace Breakwater.Proxy.Fetching;

/// <summary>Where fetches wait their turn to borrow from other nodes.</summary>
internal sealed class NodeLine
{
    /// <summary>Apart from the places for Stratum 1s, see <see cref="NodeWay"/>.</summary>
    public FetchQueue Queue { get; } = new(NodeWay.MaxBorrowed, NodeWay.MaxBorrowed / 2);
}

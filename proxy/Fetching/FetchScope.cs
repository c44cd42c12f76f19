namespace Breakwater.Proxy.Fetching;

/// <summary>
/// Whom a fetch may ask. What another node asks for is never asked of a node again: so no two nodes wait for each other, whatever each of
/// them believes about who owns what.
/// </summary>
internal enum FetchScope : byte
{
    /// <summary>The site's nodes, then Stratum 1s.</summary>
    Site,

    /// <summary>Stratum 1s; nodes only for what they hold.</summary>
    Upstream,
}

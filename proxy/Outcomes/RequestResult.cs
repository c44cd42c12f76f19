namespace Breakwater.Proxy.Outcomes;

/// <summary>Where an answer came from.</summary>
internal enum RequestResult : byte
{
    /// <summary>Refused by access rules or grammar.</summary>
    Refused,

    /// <summary>Object in the store, or document that is fresh.</summary>
    Hit,

    /// <summary>This request started the fetch.</summary>
    Miss,

    /// <summary>It joined a fetch that was under way.</summary>
    Joined,

    /// <summary>A document checked with a Stratum 1 just now.</summary>
    Revalidated,

    /// <summary>The manifest of a revision whose successor is being prepared.</summary>
    Held,

    /// <summary>A document served though it could not be checked.</summary>
    Stale,

    /// <summary>A 404 remembered.</summary>
    Negative,

    /// <summary>Passed through.</summary>
    PassedThrough,

    /// <summary>Answered by the proxy itself.</summary>
    Local,

    /// <summary>No Stratum 1 could give it.</summary>
    Failed,

    /// <summary>The client left before the end.</summary>
    ClientGone,
}

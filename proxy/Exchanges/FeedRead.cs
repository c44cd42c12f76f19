namespace Breakwater.Proxy.Exchanges;

/// <summary>What a reader finds in a <see cref="BodyFeed"/>.</summary>
internal enum FeedRead
{
    /// <summary>Bytes.</summary>
    Bytes,

    /// <summary>Nothing yet: wait for the next pulse.</summary>
    Wait,

    /// <summary>The bytes are not here (any more): look into the store.</summary>
    Elsewhere,

    /// <summary>The feed has ended before them, as it should.</summary>
    Ended,

    /// <summary>The origin broke off before them.</summary>
    Broken,
}

namespace Breakwater.Proxy.Fetching;

/// <summary>How an attempt to bring a body in has ended.</summary>
internal enum FillResult : byte
{
    /// <summary>An answer came to its end: the digest judges.</summary>
    Whole,

    /// <summary>The digest matches already, though the answer did not come to its end.</summary>
    Right,

    /// <summary>Nobody is left to ask.</summary>
    Failed,

    /// <summary>Two say different lengths.</summary>
    Disagreed,

    /// <summary>What came of it is thrown away, and nobody is to blame for wrong bytes.</summary>
    Dropped,
}

namespace Breakwater.Proxy.Fetching;

/// <summary>What a follower finds when it looks.</summary>
internal enum FollowState : byte
{
    /// <summary>Bytes are there to read.</summary>
    Readable,

    /// <summary>The object is whole and verified, and read to its end.</summary>
    Ended,

    /// <summary>The fetch failed: <see cref="InFlightFetch.Failure"/>.</summary>
    Failed,
}

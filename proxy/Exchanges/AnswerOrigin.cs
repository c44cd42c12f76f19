namespace Breakwater.Proxy.Exchanges;

/// <summary>Where the answer to a client comes from.</summary>
internal enum AnswerOrigin
{
    /// <summary>Stored, and good as it is.</summary>
    Hit,

    /// <summary>Stored, and checked with the origin just now.</summary>
    Revalidated,

    /// <summary>Stored, past its lifetime, and the origin fails.</summary>
    StaleOnError,

    /// <summary>Fetched for this request.</summary>
    Fetched,

    /// <summary>Fetched for another request that came before.</summary>
    Joined,
}

namespace Breakwater.Repositories;

/// <summary>What to do with a fetched pair of manifest and whitelist.</summary>
public enum TrustOutcome
{
    /// <summary>Verified end to end: switch to it.</summary>
    Accepted,

    /// <summary>No key is configured; it is well-formed: pass it on, marked <c>unverified</c>, without a ratchet.</summary>
    Unverified,

    /// <summary>Keep the last good pair.</summary>
    Refused,
}

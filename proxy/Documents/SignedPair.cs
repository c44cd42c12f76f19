using Breakwater.Repositories;

namespace Breakwater.Proxy.Documents;

/// <summary>A repository's manifest and the whitelist that vouches for it: they are shown to clients together. Immutable.</summary>
/// <param name="Manifest">The document <c>.cvmfspublished</c>.</param>
/// <param name="Whitelist">The document <c>.cvmfswhitelist</c>; null when the repository has none (then it is unverified).</param>
/// <param name="Verdict">How they were judged: accepted or unverified, never refused.</param>
/// <param name="Certificate">Wire bytes of the certificate that signed the manifest, so that it can be judged again; null when it was not
/// needed.</param>
internal sealed record SignedPair(CachedDocument Manifest, CachedDocument? Whitelist, TrustVerdict Verdict,
    ReadOnlyMemory<byte>? Certificate)
{
    /// <summary>Is it verified end to end?</summary>
    public bool IsVerified => Verdict.Outcome == TrustOutcome.Accepted;

    /// <summary>The parsed manifest.</summary>
    public Manifest Parsed => Verdict.Manifest!;
}

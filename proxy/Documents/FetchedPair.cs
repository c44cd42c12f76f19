using Breakwater.Proxy.Outcomes;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Documents;

/// <summary>What came of fetching a pair.</summary>
/// <param name="Pair">A pair that may be shown; null when there is none.</param>
/// <param name="Failure">Why there is none.</param>
/// <param name="Refusal">The last refusal on the way, even if another Stratum 1 then had a good pair; null when nothing was
/// refused.</param>
/// <param name="Whitelist">The newest whitelist that the keys in force prove, also when there is no pair; null: none.</param>
internal readonly record struct FetchedPair(SignedPair? Pair, UpstreamFailure? Failure, TrustVerdict? Refusal,
    CachedDocument? Whitelist = null);

using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Documents;

/// <summary>What is known of one repository's documents, for the admin API and the log.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Pair">What clients see; null when nothing good has come yet.</param>
/// <param name="HeldRevision">A newer revision that is being prepared; null when none is.</param>
/// <param name="LastRefusal">Why the newest pair was refused; null when it was not.</param>
internal sealed record RepositoryStatus(RepositoryRoute Repository, SignedPair? Pair, ulong? HeldRevision, TrustVerdict? LastRefusal)
{
    /// <summary>Why the newest pair could not be had when it was last asked for; null: it could, or nobody has asked.</summary>
    public UpstreamFailure? LastFailure { get; init; }
}

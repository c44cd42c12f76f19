using Breakwater.Proxy.Repositories;

namespace Breakwater.Proxy.Documents;

/// <summary>A repository's manifest and the whitelist that vouches for it: they are shown to clients together. Immutable.</summary>
/// <param name="Manifest">The document <c>.cvmfspublished</c>.</param>
/// <param name="Whitelist">The document <c>.cvmfswhitelist</c>; null when the repository has none (then it is unverified).</param>
/// <param name="Verdict">How they were judged: accepted or unverified, never refused.</param>
internal sealed record SignedPair(CachedDocument Manifest, CachedDocument? Whitelist, TrustVerdict Verdict)
{
    /// <summary>Is it verified end to end?</summary>
    public bool IsVerified => Verdict.Outcome == TrustOutcome.Accepted;

    /// <summary>The parsed manifest.</summary>
    public Manifest Parsed => Verdict.Manifest!;
}

/// <summary>
/// Decides when clients may see a new revision. Called once for each new pair, while the old one is still shown.
/// </summary>
internal interface IRevisionGate
{
    /// <summary>A repository has a new revision.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="before">The manifest that clients see.</param>
    /// <param name="after">The new one, accepted.</param>
    /// <returns>Null: show it at once. Else: show it when the task is complete, at the latest after <see cref="MaxHold"/>.</returns>
    Task? Prepare(Upstreams.RepositoryRoute repository, Manifest before, Manifest after);

    /// <summary>The longest time for which a new revision is held back.</summary>
    TimeSpan MaxHold { get; }
}

/// <summary>What is known of one repository's documents, for the admin API and the log.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Pair">What clients see; null when nothing good has come yet.</param>
/// <param name="HeldRevision">A newer revision that is being prepared; null when none is.</param>
/// <param name="LastRefusal">Why the newest pair was refused; null when it was not.</param>
internal sealed record RepositoryStatus(Upstreams.RepositoryRoute Repository, SignedPair? Pair, ulong? HeldRevision, TrustVerdict? LastRefusal);

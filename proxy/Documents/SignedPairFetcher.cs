using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Repositories;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Documents;

/// <summary>What came of fetching a pair.</summary>
/// <param name="Pair">A pair that may be shown; null when there is none.</param>
/// <param name="Failure">Why there is none.</param>
/// <param name="Refusal">The last refusal on the way, even if another Stratum 1 then had a good pair; null when nothing was refused.</param>
internal readonly record struct FetchedPair(SignedPair? Pair, UpstreamFailure? Failure, TrustVerdict? Refusal);

/// <summary>Fetches whitelist and manifest, with the certificate if need be, from the first Stratum 1s whose documents are good.</summary>
internal sealed class SignedPairFetcher(
    DocumentFetcher documents,
    ObjectReader objects,
    RepositoryTrust trust,
    ProxyOptions options,
    TimeProvider time)
{
    /// <summary>Fetches a pair.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="hint">Host that the client named, or null.</param>
    /// <param name="before">The last good pair; its whitelist is used on when none can be fetched.</param>
    /// <param name="rollbackFloor">The lowest revision to which an operator allows the repository to go back; null: none.</param>
    public async Task<FetchedPair> FetchAsync(RepositoryRoute repository, string? hint, SignedPair? before, ulong? rollbackFloor)
    {
        TrustVerdict? refusal = null;
        using var patience = new CancellationTokenSource(options.FetchPatience, time);
        try
        {
            (CachedDocument? whitelist, UpstreamFailure? failure) = await documents.FetchAsync(
                new DocumentRequest(DocumentKind.File, repository, SignedDocuments.WhitelistPath, hint),
                document => ValueTask.FromResult(Note(trust.JudgeWhitelist(repository.Fqrn, document.Body, time.GetUtcNow()))),
                patience.Token);
            if (whitelist is null && failure!.Kind is not (FailureKind.NotFound or FailureKind.Untrusted))
            {
                return new FetchedPair(null, failure, refusal);
            }

            whitelist ??= before?.Whitelist;
            if (whitelist is null && trust.Verifies(repository.Fqrn))
            {
                return new FetchedPair(null, failure, refusal);
            }

            TrustVerdict? accepted = null;
            (CachedDocument? manifest, failure) = await documents.FetchAsync(
                new DocumentRequest(DocumentKind.File, repository, SignedDocuments.ManifestPath, hint),
                async document =>
                {
                    accepted = await JudgeAsync(repository, hint, document, whitelist, before, rollbackFloor, patience.Token);
                    return Note(accepted);
                },
                patience.Token);
            return manifest is null ? new FetchedPair(null, failure, refusal) : new FetchedPair(ToPair(manifest, whitelist, accepted!), null, refusal);
        }
        catch (OperationCanceledException)
        {
            return new FetchedPair(null, new UpstreamFailure(FailureKind.Timeout, "no Stratum 1 has delivered it in time"), refusal);
        }

        string? Note(TrustVerdict verdict)
        {
            if (verdict.Outcome != TrustOutcome.Refused)
            {
                return null;
            }

            refusal = verdict;
            return $"{verdict.Reason}: {verdict.Explanation}";
        }
    }

    /// <summary>Judges what an earlier process kept. Null: it is not to be shown any more.</summary>
    public SignedPair? Rejudge(RepositoryRoute repository, CachedDocument manifest, CachedDocument? whitelist)
    {
        // It was verified when it was kept; whether it has expired since is looked at when it is served.
        if (trust.Verifies(repository.Fqrn) && !manifest.IsVerified)
        {
            return null;
        }

        if (!Manifest.Parse(manifest.Body.Span).TryGet(out Manifest? parsed, out _))
        {
            return null;
        }

        bool isVerified = manifest.IsVerified && trust.Verifies(repository.Fqrn);
        return new SignedPair(
            manifest,
            whitelist,
            new TrustVerdict(
                isVerified ? TrustOutcome.Accepted : TrustOutcome.Unverified,
                isVerified ? TrustReason.Verified : TrustReason.NoKey,
                "Kept from before the restart.",
                parsed,
                whitelist is null ? null : Whitelist.Parse(whitelist.Body.Span).Value));
    }

    private static SignedPair ToPair(CachedDocument manifest, CachedDocument? whitelist, TrustVerdict verdict)
    {
        bool isVerified = verdict.Outcome == TrustOutcome.Accepted;
        return new SignedPair(manifest with { IsVerified = isVerified }, whitelist is null ? null : whitelist with { IsVerified = isVerified }, verdict);
    }

    private async Task<TrustVerdict> JudgeAsync(
        RepositoryRoute repository,
        string? hint,
        CachedDocument manifest,
        CachedDocument? whitelist,
        SignedPair? before,
        ulong? rollbackFloor,
        CancellationToken cancellationToken)
    {
        ulong? highest = before is { IsVerified: true } ? before.Parsed.Revision : null;
        TrustVerdict Judge(ReadOnlyMemory<byte>? certificate) => trust.JudgeManifest(
            repository.Fqrn, manifest.Body, whitelist?.Body ?? default, certificate, time.GetUtcNow(), highest, rollbackFloor);

        TrustVerdict verdict = Judge(null);
        return verdict is { Reason: TrustReason.CertificateMissing, Manifest.Certificate: ObjectKey key }
            && await objects.ReadAsync(repository, key, hint, FetchPriority.Catalog, cancellationToken) is { } certificate
            ? Judge(certificate)
            : verdict;
    }
}

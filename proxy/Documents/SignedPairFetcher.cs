using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Documents;

/// <summary>Fetches whitelist and manifest, with the certificate if need be, from the first Stratum 1s whose documents are good.</summary>
internal sealed class SignedPairFetcher(
    DocumentFetcher documents,
    ObjectReader objects,
    RepositoryTrust trust,
    ProxyOptions options,
    ISiteNodes nodes,
    TimeProvider time)
{
    /// <summary>Where the fetch of what is asked for waits its turn.</summary>
    public SharedPlace PlaceOf(DocumentRequest request) => documents.PlaceOf(request);

    /// <summary>Fetches a pair.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="hint">Host that the client named, or null.</param>
    /// <param name="place">The place of who waits for it.</param>
    /// <param name="before">The last good pair.</param>
    /// <param name="known">The newest whitelist known; it is used on while Stratum 1s have none, or an older one.</param>
    /// <param name="rollbackFloor">The lowest revision to which an operator allows the repository to go back; null: none.</param>
    /// <param name="mayAskNodes">False: other nodes may still have the revision that this one was taken back from.</param>
    /// <param name="from">A node that has a newer revision; null: who is to be asked for this repository.</param>
    public async Task<FetchedPair> FetchAsync(RepositoryRoute repository, string? hint, SharedPlace place, SignedPair? before,
        CachedDocument? known, ulong? rollbackFloor, bool mayAskNodes, Stratum1? from = null)
    {
        TrustVerdict? refusal = null;
        var troubled = new HashSet<Stratum1>();

        // What nobody can verify never comes from a node: it would spread one node's error.
        IReadOnlyList<Stratum1> siteNodes = !trust.Verifies(repository.Fqrn) || !mayAskNodes || rollbackFloor is not null ? []
            : from is not null ? [from] : nodes.Before(repository.Fqrn.ToString());
        using var patience = new CancellationTokenSource(options.FetchPatience, time);
        try
        {
            (CachedDocument? whitelist, UpstreamFailure? failure) = await documents.FetchAsync(
                RequestFor(SignedDocuments.WhitelistPath),
                troubled,
                document => ValueTask.FromResult(Note(trust.JudgeWhitelist(repository.Fqrn, document.Body, time.GetUtcNow()))),
                patience.Token);
            if (whitelist is null && failure!.Kind is not (FailureKind.NotFound or FailureKind.Untrusted))
            {
                return new FetchedPair(null, failure, refusal);
            }

            whitelist = Newer(repository.Fqrn, known, whitelist);
            if (whitelist is null && trust.Verifies(repository.Fqrn))
            {
                return new FetchedPair(null, failure, refusal);
            }

            TrustVerdict? accepted = null;
            ReadOnlyMemory<byte>? certificate = null;
            bool mayLookFurther = true;
            (CachedDocument? manifest, failure) = await documents.FetchAsync(
                RequestFor(SignedDocuments.ManifestPath),
                troubled,
                async document =>
                {
                    (accepted, certificate) = await JudgeByListAsync(document);
                    if (accepted.Reason == TrustReason.CertificateNotListed && mayLookFurther)
                    {
                        // The list may be one that its Stratum 1 kept from before the publisher had another certificate.
                        mayLookFurther = false;
                        if (await NewerListAsync(whitelist!) is { } newer)
                        {
                            whitelist = newer;
                            (accepted, certificate) = await JudgeByListAsync(document);
                        }
                    }

                    return Note(accepted);
                },
                patience.Token);

            Task<(TrustVerdict Verdict, ReadOnlyMemory<byte>? Certificate)> JudgeByListAsync(CachedDocument document) =>
                JudgeAsync(repository, hint, document, whitelist, before, rollbackFloor, troubled, patience.Token);

            return manifest is null
                ? new FetchedPair(null, failure, refusal, trust.Verifies(repository.Fqrn) ? whitelist : null)
                : new FetchedPair(ToPair(manifest, whitelist, accepted!, certificate), null, refusal, whitelist);
        }
        catch (OperationCanceledException)
        {
            return new FetchedPair(null, new UpstreamFailure(FailureKind.Timeout, "no Stratum 1 has delivered it in time"), refusal);
        }

        DocumentRequest RequestFor(string path) =>
            new(DocumentKind.File, repository, path, hint) { Place = place, Nodes = siteNodes };

        async Task<CachedDocument?> NewerListAsync(CachedDocument than) => (await documents.FetchAsync(
            RequestFor(SignedDocuments.WhitelistPath), troubled,
            document => ValueTask.FromResult(IsNewer(repository.Fqrn, document, than) ? null : "its whitelist is no newer one"),
            patience.Token)).Document;

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

    /// <summary>
    /// Judges what is held by the keys in force; whether its whitelist has expired is looked at when it is served. No pair: it is not to be
    /// shown.
    /// </summary>
    /// <param name="repository">The repository.</param>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="whitelist">The whitelist that is to vouch for it.</param>
    /// <param name="certificate">Wire bytes of the manifest's certificate; null: the store may have it.</param>
    public (SignedPair? Pair, TrustVerdict Verdict) Rejudge(
        RepositoryRoute repository, CachedDocument manifest, CachedDocument? whitelist, ReadOnlyMemory<byte>? certificate)
    {
        TrustVerdict Judge() =>
            trust.JudgeManifest(repository.Fqrn, manifest.Body, whitelist?.Body ?? default, certificate, now: null, highestRevision: null);
        TrustVerdict verdict = Judge();
        if (verdict is { Reason: TrustReason.CertificateMissing, Manifest.Certificate: ObjectKey key }
            && objects.ReadStored(key) is { } stored)
        {
            certificate = stored;
            verdict = Judge();
        }

        return (verdict.Outcome == TrustOutcome.Refused ? null : ToPair(manifest, whitelist, verdict, certificate), verdict);
    }

    private static SignedPair ToPair(CachedDocument manifest, CachedDocument? whitelist, TrustVerdict verdict,
        ReadOnlyMemory<byte>? certificate)
    {
        bool isVerified = verdict.Outcome == TrustOutcome.Accepted;
        return new SignedPair(
            manifest with { IsVerified = isVerified }, whitelist is null ? null : whitelist with { IsVerified = isVerified }, verdict,
            certificate);
    }

    /// <summary>
    /// The whitelist to judge by. A certificate that the publisher took off the list must not come back with an older list, which a Stratum
    /// 1 may have kept: of two that the keys prove, the newer one counts. One that was made in the future by this clock counts for nothing
    /// yet.
    /// </summary>
    private CachedDocument? Newer(Fqrn fqrn, CachedDocument? known, CachedDocument? fetched)
    {
        if (known is null || fetched is null)
        {
            return fetched ?? known;
        }

        return IsNewer(fqrn, known, fetched) ? known with { CheckedAt = fetched.CheckedAt, InitialAge = fetched.InitialAge } : fetched;
    }

    private bool IsNewer(Fqrn fqrn, CachedDocument whitelist, CachedDocument than)
    {
        DateTimeOffset now = time.GetUtcNow();
        return trust.JudgeWhitelist(fqrn, whitelist.Body, now) is { Outcome: TrustOutcome.Accepted, Whitelist: { } list }
            && list.CreatedAt <= now && list.CreatedAt > Whitelist.Parse(than.Body.Span).Value?.CreatedAt;
    }

    private async Task<(TrustVerdict Verdict, ReadOnlyMemory<byte>? Certificate)> JudgeAsync(
        RepositoryRoute repository,
        string? hint,
        CachedDocument manifest,
        CachedDocument? whitelist,
        SignedPair? before,
        ulong? rollbackFloor,
        IEnumerable<Stratum1> troubled,
        CancellationToken cancellationToken)
    {
        ulong? highest = before is { IsVerified: true } ? before.Parsed.Revision : null;
        TrustVerdict Judge(ReadOnlyMemory<byte>? certificate) => trust.JudgeManifest(
            repository.Fqrn, manifest.Body, whitelist?.Body ?? default, certificate, time.GetUtcNow(), highest, rollbackFloor);

        TrustVerdict verdict = Judge(null);
        return verdict is { Reason: TrustReason.CertificateMissing, Manifest.Certificate: ObjectKey key }
            && await objects.ReadAsync(OrderOf(key), cancellationToken) is { } certificate
            ? (Judge(certificate), certificate)
            : (verdict, null);

        // Who was slow with the documents would be with this as well, and clients wait for all three.
        FetchOrder OrderOf(ObjectKey key) =>
            new(key, repository, key.ToPath(), hint, FetchPriority.Catalog) { Troubled = [.. troubled] };
    }
}

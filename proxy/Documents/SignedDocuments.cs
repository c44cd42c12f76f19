using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Documents;

/// <summary>
/// Manifests and whitelists: fetched as a pair, judged, shown together. A refused pair changes nothing, the last good one goes on being
/// served; a verified revision never goes back; a new one may be held back until its working set is here. What is shown is proved by the
/// keys in force now (ADR 0031). Thread-safe.
/// </summary>
internal sealed partial class SignedDocuments(
    ShownPairs pairs, PairChecks checks, ProxyOptions options, TrustOptions trustOptions, TimeProvider time, ILogger<SignedDocuments> log)
{
    public const string ManifestPath = ".cvmfspublished";
    public const string WhitelistPath = ".cvmfswhitelist";

    /// <summary>After a check failed, answers go out at once this long: no client waits for Stratum 1s known to be down.</summary>
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(5);

    /// <summary>Is this document one of a pair?</summary>
    public static bool Handles(DocumentRequest request) =>
        request.Kind == DocumentKind.File && request.Path is ManifestPath or WhitelistPath;

    /// <summary>What is known of the repositories asked for since the start.</summary>
    public IReadOnlyList<RepositoryStatus> Repositories => [.. pairs.All.Select(entry => entry.ToStatus())];

    /// <summary>The document, if its pair was checked recently enough; null else. Asks nobody.</summary>
    public CachedDocument? FindFresh(DocumentRequest request) =>
        pairs.TryFind(request.Repository)?.Show() is { } pair
            && (options.Offline || request.Repository.IsPublished ? !IsWithheld(pair) : pair.Manifest.IsFresh(time))
            ? request.Path == ManifestPath ? pair.Manifest : pair.Whitelist
            : null;

    /// <summary>The manifest or the whitelist, checked recently enough, or stale when it cannot be checked.</summary>
    /// <exception cref="OperationCanceledException">The client left.</exception>
    public async ValueTask<DocumentAnswer> GetAsync(DocumentRequest request, CancellationToken cancellationToken)
    {
        ShownPair entry = pairs.Of(request.Repository);
        entry.AskedAt = Environment.TickCount64;
        if (options.Offline || request.Repository.IsPublished)
        {
            UpstreamFailure missing = request.Repository.IsPublished ? UpstreamFailure.NotPublished : UpstreamFailure.NotHeldOffline;
            return WithoutUpstream(request, entry, missing, RequestResult.Hit);
        }

        SignedPair? pair = entry.Show();
        if (pair is not null && pair.Manifest.IsFresh(time))
        {
            return Answer(request, pair, RequestResult.Hit);
        }

        if (pair is not null && entry.IsHolding)
        {
            return Answer(request, pair, RequestResult.Held);
        }

        if (entry.FailedAt is not 0 and long failedAt && time.GetElapsedTime(failedAt) < s_retryAfter)
        {
            return WithoutUpstream(request, entry, entry.Failure, isRemembered: true);
        }

        try
        {
            RequestResult result = await checks.JoinOrStart(entry, request).WaitAsync(options.AnswerTimeout, time, cancellationToken);
            return entry.Show() is { } current && result != RequestResult.Failed
                ? Answer(request, current, result)
                : WithoutUpstream(request, entry, entry.Failure);
        }
        catch (TimeoutException)
        {
            return WithoutUpstream(request, entry, entry.Failure);
        }
    }

    /// <summary>The pair that clients see, without asking anybody; null when there is none.</summary>
    public SignedPair? Find(RepositoryRoute repository) => pairs.Of(repository).Show();

    /// <summary>Whoever asks next has no failure remembered: with other settings what failed may be had.</summary>
    public void ForgetFailures()
    {
        foreach (ShownPair entry in pairs.All)
        {
            entry.FailedAt = 0;
        }
    }

    /// <summary>Lets a verified repository go back to an older, signed revision, once.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="floor">The lowest revision that is taken.</param>
    public void AllowRollback(RepositoryRoute repository, ulong floor)
    {
        ShownPair entry = pairs.Of(repository);
        entry.RollbackFloor = floor;
        entry.FailedAt = 0;
        LogRollbackAllowed(log, repository.Fqrn, floor);
    }

    /// <summary>
    /// Shows a pair that did not come from a Stratum 1, once no check is under way; durable when the task is complete. The revision never
    /// goes back.
    /// </summary>
    /// <param name="repository">The repository.</param>
    /// <param name="choose">Gets what clients see (null: nothing), gives a judged pair to show instead; null: leave it.</param>
    /// <returns>True: it is shown. False: what was there stays.</returns>
    public async Task<bool> ReplaceAsync(RepositoryRoute repository, Func<SignedPair?, SignedPair?> choose)
    {
        ShownPair entry = pairs.Of(repository);
        SignedPair? taken = null;
        await entry.AloneAsync(() =>
        {
            SignedPair? before = entry.Show();
            if (choose(before) is { } next && RevisionRatchet.Decide(before?.Parsed.Revision, next.Parsed.Revision) != RevisionStep.Back)
            {
                entry.DropHeldUpTo(next.Parsed.Revision);
                pairs.Switch(entry, taken = next);
            }

            return Task.FromResult(RequestResult.Local);
        });
        if (taken is not null)
        {
            await pairs.KeepAsync(repository, taken);
        }

        return taken is not null;
    }

    private DocumentAnswer WithoutUpstream(DocumentRequest request, ShownPair entry, UpstreamFailure? cause,
        RequestResult shown = RequestResult.Stale, bool isRemembered = false)
    {
        UpstreamFailure failure = cause ?? new UpstreamFailure(FailureKind.Timeout, "no Stratum 1 has answered in time");
        if (entry.Show() is not { } pair)
        {
            bool isNegative = isRemembered && failure.Kind == FailureKind.NotFound; // else somebody was asked just now, or nobody may be
            return new DocumentAnswer(null, isNegative ? RequestResult.Negative : RequestResult.Failed, failure);
        }

        return IsWithheld(pair)
            ? new DocumentAnswer(null, RequestResult.Failed,
            failure with { Detail = "the whitelist has expired and no Stratum 1 has a newer one: " + failure.Detail })
            : Answer(request, pair, shown);
    }

    /// <summary>Its whitelist has expired, and the settings say not to serve it then.</summary>
    private bool IsWithheld(SignedPair pair) =>
        !trustOptions.ServeExpired && pair is { IsVerified: true, Verdict.Whitelist: { } whitelist }
        && whitelist.ExpiresAt <= time.GetUtcNow();

    private static DocumentAnswer Answer(DocumentRequest request, SignedPair pair, RequestResult result)
    {
        CachedDocument? document = request.Path == ManifestPath ? pair.Manifest : pair.Whitelist;
        return document is null
            ? new DocumentAnswer(null, result == RequestResult.Hit ? RequestResult.Negative : RequestResult.Failed,
                new UpstreamFailure(FailureKind.NotFound, "the repository has no whitelist"))
            : new DocumentAnswer(document, result, null);
    }

    /// <summary>
    /// For another node: the newest pair that is verified, shown or still held back, so that all nodes prepare a revision at the same time.
    /// Null: there is none.
    /// </summary>
    /// <param name="repository">The repository.</param>
    /// <param name="mayCheck">May a Stratum 1 be asked, if the pair is not fresh?</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OperationCanceledException">The other node left.</exception>
    public async Task<SignedPair?> FindForNodeAsync(RepositoryRoute repository, bool mayCheck, CancellationToken cancellationToken)
    {
        ShownPair entry = pairs.Of(repository);
        if (mayCheck && !(entry.Newest() is { } known && known.Manifest.IsFresh(time)))
        {
            await GetAsync(new DocumentRequest(DocumentKind.File, repository, ManifestPath, null), cancellationToken);
        }

        return entry.Newest() is { IsVerified: true } pair ? pair : null;
    }

    /// <summary>Another node has a higher revision: it is checked at once, first there.</summary>
    public Task CheckAtAsync(RepositoryRoute repository, Stratum1 node)
    {
        ShownPair entry = pairs.Of(repository);
        return entry.WasTakenBack
            ? Task.CompletedTask
            : checks.JoinOrStart(entry, new DocumentRequest(DocumentKind.File, repository, ManifestPath, null), node);
    }

    /// <summary>The newest verified revision of each repository in memory, shown or held back, in the order of their names.</summary>
    public SortedDictionary<Fqrn, ulong> VerifiedRevisions()
    {
        var revisions = new SortedDictionary<Fqrn, ulong>();
        foreach (ShownPair entry in pairs.All)
        {
            if (entry.Newest() is { IsVerified: true } pair)
            {
                revisions[entry.Repository.Fqrn] = pair.Parsed.Revision;
            }
        }

        return revisions;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Repository}: an operator allows it to go back to revision {Floor} or later, once")]
    private static partial void LogRollbackAllowed(ILogger log, Fqrn repository, ulong floor);
}

using System.Collections.Concurrent;
using System.Net;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Threading;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Documents;

/// <summary>
/// Manifests and whitelists: fetched as a pair, judged, shown together. A refused pair changes nothing, the last good one goes on being
/// served; a verified revision never goes back; a new one may be held back until its working set is here. What is shown is proved by the
/// keys in force now (ADR 0031). Thread-safe.
/// </summary>
internal sealed partial class SignedDocuments(
    SignedPairFetcher fetcher,
    DocumentArchive archive,
    RepositoryTrust trust,
    IRevisionGate gate,
    AllowedRevisions allowed,
    ProxyOptions options,
    TrustOptions trustOptions,
    ProxyCounters counters,
    TimeProvider time,
    ILogger<SignedDocuments> log)
{
    public const string ManifestPath = ".cvmfspublished";
    public const string WhitelistPath = ".cvmfswhitelist";

    /// <summary>A client may ask for any name below an allowed domain: remember no more of them than a site can have.</summary>
    internal const int MaxRepositories = 4096;

    /// <summary>Manifests and whitelists of all of them: 16 KB a repository, where the largest may have 320 KB.</summary>
    internal const long MaxBytes = 64L << 20;

    /// <summary>After a check failed, answers go out at once this long: no client waits for Stratum 1s known to be down.</summary>
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan s_warnAgainAfter = TimeSpan.FromDays(1);

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly SingleFlight<Entry, SharedPlace?, RequestResult> _checks = new();
    // checks of what may be made-up names: no client may have them all
    private readonly FetchQueue _unknown = new(MaxRepositories, prefetchLimit: 0);

    /// <summary>Is this document one of a pair?</summary>
    public static bool Handles(DocumentRequest request) =>
        request.Kind == DocumentKind.File && request.Path is ManifestPath or WhitelistPath;

    /// <summary>What is known of the repositories asked for since the start.</summary>
    public IReadOnlyList<RepositoryStatus> Repositories => [.. _entries.Values.Select(entry => entry.ToStatus())];

    private MasterKeys KeysInForce => trust.Keys;

    private long Now => time.GetTimestamp();

    private bool IsHoldOver(long heldAt) => time.GetElapsedTime(heldAt) >= gate.MaxHold;

    /// <summary>The document, if its pair was checked recently enough; null else. Asks nobody.</summary>
    public CachedDocument? FindFresh(DocumentRequest request)
    {
        return _entries.TryGetValue(KeyOf(request.Repository), out Entry? entry) && entry.Show() is { } pair
            && (options.Offline || request.Repository.IsPublished ? !IsWithheld(pair) : pair.Manifest.IsFresh(time))
            ? request.Path == ManifestPath ? pair.Manifest : pair.Whitelist
            : null;
    }

    /// <summary>The manifest or the whitelist, checked recently enough, or stale when it cannot be checked.</summary>
    /// <exception cref="OperationCanceledException">The client left.</exception>
    public async ValueTask<DocumentAnswer> GetAsync(DocumentRequest request, CancellationToken cancellationToken)
    {
        Entry entry = EntryOf(request.Repository);
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
            return WithoutUpstream(request, entry, entry.Failure);
        }

        try
        {
            // What is known is checked on the proxy's own account.
            SharedPlace place = fetcher.PlaceOf(pair is null ? request : request with { Client = null });
            RequestResult result = await entry.CheckAsync(place, request.Client, () => CheckAsync(entry, request, place))
                .WaitAsync(options.AnswerTimeout, time, cancellationToken);
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
    public SignedPair? Find(RepositoryRoute repository) => EntryOf(repository).Show();

    /// <summary>Lets a verified repository go back to an older, signed revision, once.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="floor">The lowest revision that is taken.</param>
    public void AllowRollback(RepositoryRoute repository, ulong floor)
    {
        Entry entry = EntryOf(repository);
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
        Entry entry = EntryOf(repository);
        SignedPair? taken = null;
        await entry.AloneAsync(() =>
        {
            SignedPair? before = entry.Show();
            if (choose(before) is { } next && RevisionRatchet.Decide(before?.Parsed.Revision, next.Parsed.Revision) != RevisionStep.Back)
            {
                entry.DropHeldUpTo(next.Parsed.Revision);
                Switch(entry, taken = next);
            }

            return Task.FromResult(RequestResult.Local);
        });
        if (taken is not null)
        {
            await Task.WhenAll(
                archive.KeepAsync(KeyOf(repository, ManifestPath), taken.Manifest, taken.Certificate),
                taken.Whitelist is { } whitelist ? archive.KeepAsync(KeyOf(repository, WhitelistPath), whitelist) : Task.CompletedTask);
        }

        return taken is not null;
    }

    private Entry EntryOf(RepositoryRoute repository)
    {
        string key = KeyOf(repository);
        if (_entries.TryGetValue(key, out Entry? entry))
        {
            return entry;
        }

        MakeRoom();
        return _entries.GetOrAdd(key, _ => LoadKept(repository));
    }

    /// <summary>
    /// At the limit a sixteenth of the repositories are forgotten: those that nothing is known of first, verified ones last, each kind by
    /// the time of the last question. What was good is in the archive and comes back from there.
    /// </summary>
    private void MakeRoom()
    {
        int count = _entries.Count;
        bool isTooLarge = count > 0 && count % 64 == 0 && _entries.Values.Sum(entry => (long)entry.Cost) > MaxBytes;
        if (count < MaxRepositories && !isTooLarge)
        {
            return;
        }

        foreach (KeyValuePair<string, Entry> old in _entries
            .Where(entry => !entry.Value.IsBusy)
            .OrderBy(entry => entry.Value.Current switch { null => 0, { IsVerified: false } => 1, _ => 2 })
            .ThenBy(entry => entry.Value.AskedAt)
            .Take((count / 16) + 1)
            .ToList())
        {
            _entries.TryRemove(old);
        }
    }

    /// <summary>After a restart: what is good by the keys in force is served stale if need be, and is what the ratchet stands on.</summary>
    private Entry LoadKept(RepositoryRoute repository)
    {
        CachedDocument? whitelist = archive.Find(KeyOf(repository, WhitelistPath), out _);
        var entry = new Entry(this, repository) { NewestWhitelist = whitelist };
        if (archive.Find(KeyOf(repository, ManifestPath), out ReadOnlyMemory<byte>? certificate) is { } manifest)
        {
            (entry.Current, TrustVerdict verdict) = fetcher.Rejudge(repository, manifest, whitelist, certificate);
            if (entry.Current is null)
            {
                LogWithdrawn(log, repository.Fqrn, verdict.Reason, verdict.Explanation);
            }
        }

        return entry;
    }

    /// <summary>
    /// Judges what is shown by other keys than before. Null: it is not to be shown any more. Keys that cannot be read judge nothing: then
    /// what was proved stays, and nothing new comes.
    /// </summary>
    private SignedPair? JudgeAgain(Entry entry, SignedPair pair)
    {
        (SignedPair? judged, TrustVerdict verdict) = fetcher.Rejudge(entry.Repository, pair.Manifest, pair.Whitelist, pair.Certificate);
        if (verdict.Reason == TrustReason.KeysUnreadable)
        {
            return pair with { Verdict = pair.Verdict with { Keys = verdict.Keys } };
        }

        if (judged is null)
        {
            Withdrawn(entry, verdict);
        }
        else if (judged.IsVerified != pair.IsVerified)
        {
            LogShown(log, entry.Repository.Fqrn, judged.Parsed.Revision, TrustOf(judged));
        }

        return judged;
    }

    /// <summary>
    /// A whitelist came without a manifest for which it vouches. One that is newer than ours rules over what is shown, too: true if that is
    /// withdrawn.
    /// </summary>
    private bool TakeWhitelist(Entry entry, CachedDocument whitelist)
    {
        if (entry.NewestWhitelist is { } known
            && trust.JudgeWhitelist(entry.Repository.Fqrn, known.Body, now: null) is { Outcome: TrustOutcome.Accepted, Whitelist: { } ours }
            && ours.CreatedAt >= Whitelist.Parse(whitelist.Body.Span).Value?.CreatedAt)
        {
            return false;
        }

        bool isWithdrawn = false;
        entry.NewestWhitelist = whitelist;
        entry.Change(pair =>
        {
            (SignedPair? judged, TrustVerdict verdict) = fetcher.Rejudge(entry.Repository, pair.Manifest, whitelist, pair.Certificate);
            if (judged is null && verdict.Reason == TrustReason.CertificateNotListed)
            {
                Withdrawn(entry, verdict);
                isWithdrawn = true;
                return null;
            }

            return judged ?? pair;
        });
        archive.Keep(KeyOf(entry.Repository, WhitelistPath), whitelist);
        return isWithdrawn;
    }

    private void Withdrawn(Entry entry, TrustVerdict verdict)
    {
        entry.LastRefusal = verdict;
        entry.FailedAt = 0; // whoever asks next need not wait: a Stratum 1 may have what the keys prove
        LogWithdrawn(log, entry.Repository.Fqrn, verdict.Reason, verdict.Explanation);
    }

    /// <summary>A check of what is not known goes on when its client leaves, and may be of a made-up name.</summary>
    private async Task<RequestResult> CheckAsync(Entry entry, DocumentRequest request, SharedPlace shared, Stratum1? from = null)
    {
        if (entry.Show() is { } before)
        {
            return await CheckAsync(entry, request.Hint, shared, before, from);
        }

        var place = new FetchPlace(request.Priority, request.Client);
        if (!_unknown.TryEnter(place))
        {
            entry.Failure = new UpstreamFailure(FailureKind.Timeout, "too many repositories are being checked; ask again");
            return RequestResult.Failed;
        }

        try
        {
            return await CheckAsync(entry, request.Hint, shared, null, from);
        }
        finally
        {
            _unknown.Leave(place);
        }
    }

    private async Task<RequestResult> CheckAsync(Entry entry, string? hint, SharedPlace place, SignedPair? before, Stratum1? from)
    {
        FetchedPair fetched =
            await fetcher.FetchAsync(entry.Repository, hint, place, before, entry.NewestWhitelist, FloorOf(entry),
                !entry.WasTakenBack, from);
        if (fetched is { Pair: null, Whitelist: { } newest } && TakeWhitelist(entry, newest) && entry.Show() is null)
        {
            // A repository made anew: the revision that it had before counts no more.
            before = null;
            fetched = await fetcher.FetchAsync(entry.Repository, hint, place, null, newest, FloorOf(entry), mayAskNodes: false);
        }

        NoteRefusal(entry, fetched.Refusal);
        if (fetched.Pair is not { } pair)
        {
            entry.Failure = fetched.Failure;
            entry.FailedAt = Now;
            return RequestResult.Failed;
        }

        entry.Failure = null;
        if (before is not null && pair.Parsed.Revision < before.Parsed.Revision
            && (entry.RollbackFloor is not { } given || given > pair.Parsed.Revision))
        {
            allowed.WentBack(entry.Repository.Fqrn, pair.Parsed.Revision);
        }

        entry.RollbackFloor = null;
        WarnOfExpiry(entry, pair);
        if (before is null || pair.Parsed.NamesWhat(before.Parsed)
            || gate.Prepare(entry.Repository, before.Parsed, pair.Parsed) is not { } ready)
        {
            Switch(entry, pair);
            return before is null ? RequestResult.Miss : RequestResult.Revalidated;
        }

        LogHeld(log, entry.Repository.Fqrn, pair.Parsed.Revision, gate.MaxHold);
        int hold = entry.Hold(pair);
        _ = ready.ContinueWith(_ => entry.Reveal(hold), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        return RequestResult.Held;
    }

    /// <summary>The lower one of what a command and what the settings allow.</summary>
    private ulong? FloorOf(Entry entry) => (entry.RollbackFloor, allowed.FloorOf(entry.Repository.Fqrn)) is ({ } given, { } declared)
        ? Math.Min(given, declared)
        : entry.RollbackFloor ?? allowed.FloorOf(entry.Repository.Fqrn);

    private void Switch(Entry entry, SignedPair pair)
    {
        if (entry.Current?.Parsed.Revision != pair.Parsed.Revision)
        {
            LogShown(log, entry.Repository.Fqrn, pair.Parsed.Revision, TrustOf(pair));
        }

        entry.WasTakenBack |= entry.Current?.Parsed.Revision > pair.Parsed.Revision;
        entry.Current = pair;
        archive.Keep(KeyOf(entry.Repository, ManifestPath), pair.Manifest, pair.Certificate);
        if (pair.Whitelist is { } whitelist)
        {
            entry.NewestWhitelist = whitelist;
            archive.Keep(KeyOf(entry.Repository, WhitelistPath), whitelist);
        }
    }

    private DocumentAnswer WithoutUpstream(DocumentRequest request, Entry entry, UpstreamFailure? cause,
        RequestResult shown = RequestResult.Stale)
    {
        UpstreamFailure failure = cause ?? new UpstreamFailure(FailureKind.Timeout, "no Stratum 1 has answered in time");
        if (entry.Show() is not { } pair)
        {
            return new DocumentAnswer(null, failure.Kind == FailureKind.NotFound ? RequestResult.Negative : RequestResult.Failed, failure);
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
            ? new DocumentAnswer(null, RequestResult.Negative, new UpstreamFailure(FailureKind.NotFound, "the repository has no whitelist"))
            : new DocumentAnswer(document, result, null);
    }

    private void NoteRefusal(Entry entry, TrustVerdict? refusal)
    {
        if (refusal is not null)
        {
            counters.RefusedDocuments.Add(1, new KeyValuePair<string, object?>("reason", refusal.Reason));
            if (entry.LastRefusal?.Reason != refusal.Reason)
            {
                LogRefused(log, entry.Repository.Fqrn, refusal.Reason, refusal.Explanation);
            }
        }

        entry.LastRefusal = refusal;
    }

    private void WarnOfExpiry(Entry entry, SignedPair pair)
    {
        if (pair.IsVerified && pair.Verdict.WhitelistExpiresSoon(time.GetUtcNow())
            && !(entry.WarnedAt is not 0 and long warnedAt && time.GetElapsedTime(warnedAt) < s_warnAgainAfter))
        {
            entry.WarnedAt = Now;
            LogExpiring(log, entry.Repository.Fqrn, pair.Verdict.Whitelist!.ExpiresAt);
        }
    }

    private static string TrustOf(SignedPair pair) => pair.IsVerified ? "verified" : "unverified";

    private static string KeyOf(RepositoryRoute repository) => $"{repository.Cluster}/{repository.Fqrn}";

    private static string KeyOf(RepositoryRoute repository, string path) => $"{KeyOf(repository)}/{path}";

    [LoggerMessage(Level = LogLevel.Error,
        Message = "{Repository}: a Stratum 1's manifest or whitelist is refused ({Reason}): {Explanation} The last good pair goes on "
        + "being served")]
    private static partial void LogRefused(ILogger log, string repository, TrustReason reason, string explanation);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Repository}: the whitelist expires at {ExpiresAt:u}; clients refuse the repository then. Its publisher must sign a "
        + "new one")]
    private static partial void LogExpiring(ILogger log, string repository, DateTimeOffset expiresAt);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Repository}: revision {Revision} ({Trust}) is shown to clients")]
    private static partial void LogShown(ILogger log, string repository, ulong revision, string trust);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "{Repository}: revision {Revision} is held back until its working set is here, at most {Hold}")]
    private static partial void LogHeld(ILogger log, string repository, ulong revision, TimeSpan hold);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "{Repository}: what was shown to clients is withdrawn, the keys and whitelist in force do not prove it ({Reason}): "
        + "{Explanation} Clients get what a Stratum 1 has, once it is good")]
    private static partial void LogWithdrawn(ILogger log, string repository, TrustReason reason, string explanation);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Repository}: an operator allows it to go back to revision {Floor} or later, once")]
    private static partial void LogRollbackAllowed(ILogger log, string repository, ulong floor);
}

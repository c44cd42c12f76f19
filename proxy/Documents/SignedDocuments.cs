using System.Collections.Concurrent;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Repositories;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Documents;

/// <summary>
/// Manifests and whitelists: fetched as a pair, judged, shown together. A refused pair changes nothing, the last good one goes on being served;
/// a verified revision never goes back; a new one may be held back until its working set is here. Thread-safe.
/// </summary>
internal sealed partial class SignedDocuments(
    SignedPairFetcher fetcher,
    DocumentArchive archive,
    IRevisionGate gate,
    ProxyOptions options,
    TrustOptions trustOptions,
    ProxyCounters counters,
    TimeProvider time,
    ILogger<SignedDocuments> log)
{
    public const string ManifestPath = ".cvmfspublished";
    public const string WhitelistPath = ".cvmfswhitelist";

    /// <summary>A client may ask for any name below an allowed domain: remember no more of them than a site can have.</summary>
    private const int MaxRepositories = 4096;

    /// <summary>After a check failed, answers go out at once this long: no client waits for Stratum 1s known to be down.</summary>
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Is this document one of a pair?</summary>
    public static bool Handles(DocumentRequest request) => request.Kind == DocumentKind.File && request.Path is ManifestPath or WhitelistPath;

    /// <summary>What is known of the repositories asked for since the start.</summary>
    public IReadOnlyList<RepositoryStatus> Repositories => [.. _entries.Values.Select(entry => entry.ToStatus())];

    /// <summary>The document, if its pair was checked recently enough; null else. Asks nobody.</summary>
    public CachedDocument? FindFresh(DocumentRequest request)
    {
        DateTimeOffset now = time.GetUtcNow();
        return _entries.TryGetValue(KeyOf(request.Repository), out Entry? entry) && entry.Show(now) is { } pair
            && (options.Offline ? !IsWithheld(pair, now) : pair.Manifest.IsFresh(now))
            ? request.Path == ManifestPath ? pair.Manifest : pair.Whitelist
            : null;
    }

    /// <summary>The manifest or the whitelist, checked recently enough, or stale when it cannot be checked.</summary>
    /// <exception cref="OperationCanceledException">The client left.</exception>
    public async ValueTask<DocumentAnswer> GetAsync(DocumentRequest request, CancellationToken cancellationToken)
    {
        Entry entry = EntryOf(request.Repository);
        DateTimeOffset now = time.GetUtcNow();
        if (options.Offline)
        {
            return WithoutUpstream(request, entry, UpstreamFailure.NotHeldOffline, RequestResult.Hit);
        }

        SignedPair? pair = entry.Show(now);
        if (pair is not null && pair.Manifest.IsFresh(now))
        {
            return Answer(request, pair, RequestResult.Hit);
        }

        if (pair is not null && entry.IsHolding)
        {
            return Answer(request, pair, RequestResult.Held);
        }

        if (entry.RetryAt > now)
        {
            return WithoutUpstream(request, entry, entry.Failure);
        }

        try
        {
            RequestResult result = await entry.CheckAsync(() => CheckAsync(entry, request.Hint)).WaitAsync(options.AnswerTimeout, time, cancellationToken);
            return entry.Current is { } current && result != RequestResult.Failed ? Answer(request, current, result) : WithoutUpstream(request, entry, entry.Failure);
        }
        catch (TimeoutException)
        {
            return WithoutUpstream(request, entry, entry.Failure);
        }
    }

    /// <summary>The pair that clients see, without asking anybody; null when there is none.</summary>
    public SignedPair? Find(RepositoryRoute repository) => EntryOf(repository).Show(time.GetUtcNow());

    /// <summary>Lets a verified repository go back to an older, signed revision, once.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="floor">The lowest revision that is taken.</param>
    public void AllowRollback(RepositoryRoute repository, ulong floor)
    {
        Entry entry = EntryOf(repository);
        entry.RollbackFloor = floor;
        entry.RetryAt = default;
        LogRollbackAllowed(log, repository.Fqrn, floor);
    }

    /// <summary>
    /// Shows a pair that did not come from a Stratum 1, once no check is under way; durable when the task is complete. The revision never goes back.
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
            SignedPair? before = entry.Show(time.GetUtcNow());
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
                archive.KeepAsync(KeyOf(repository, ManifestPath), taken.Manifest),
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

        if (_entries.Count >= MaxRepositories && _entries.FirstOrDefault(e => e.Value.Current is null) is { Key: not null } empty)
        {
            _entries.TryRemove(empty);
        }

        return _entries.GetOrAdd(key, _ => new Entry(repository, LoadKept(repository)));
    }

    /// <summary>After a restart: what was good then is served stale if need be, and is what the ratchet stands on.</summary>
    private SignedPair? LoadKept(RepositoryRoute repository)
    {
        if (archive.Find(KeyOf(repository, ManifestPath)) is not { } manifest)
        {
            return null;
        }

        CachedDocument? whitelist = archive.Find(KeyOf(repository, WhitelistPath));
        return fetcher.Rejudge(repository, manifest, whitelist);
    }

    private async Task<RequestResult> CheckAsync(Entry entry, string? hint)
    {
        SignedPair? before = entry.Current;
        FetchedPair fetched = await fetcher.FetchAsync(entry.Repository, hint, before, entry.RollbackFloor);
        NoteRefusal(entry, fetched.Refusal);
        if (fetched.Pair is not { } pair)
        {
            entry.Failure = fetched.Failure;
            entry.RetryAt = time.GetUtcNow() + s_retryAfter;
            return RequestResult.Failed;
        }

        entry.Failure = null;
        entry.RollbackFloor = null;
        WarnOfExpiry(entry, pair);
        if (before is null || before.Parsed.RootCatalog == pair.Parsed.RootCatalog || gate.Prepare(entry.Repository, before.Parsed, pair.Parsed) is not { } ready)
        {
            Switch(entry, pair);
            return before is null ? RequestResult.Miss : RequestResult.Revalidated;
        }

        LogHeld(log, entry.Repository.Fqrn, pair.Parsed.Revision, gate.MaxHold);
        entry.Hold(pair, time.GetUtcNow() + gate.MaxHold, Switch);
        _ = ready.ContinueWith(_ => entry.Reveal(pair), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        return RequestResult.Held;
    }

    private void Switch(Entry entry, SignedPair pair)
    {
        if (entry.Current?.Parsed.Revision != pair.Parsed.Revision)
        {
            LogShown(log, entry.Repository.Fqrn, pair.Parsed.Revision, pair.IsVerified ? "verified" : "unverified");
        }

        entry.Current = pair;
        archive.Keep(KeyOf(entry.Repository, ManifestPath), pair.Manifest);
        if (pair.Whitelist is { } whitelist)
        {
            archive.Keep(KeyOf(entry.Repository, WhitelistPath), whitelist);
        }
    }

    private DocumentAnswer WithoutUpstream(DocumentRequest request, Entry entry, UpstreamFailure? cause, RequestResult shown = RequestResult.Stale)
    {
        UpstreamFailure failure = cause ?? new UpstreamFailure(FailureKind.Timeout, "no Stratum 1 has answered in time");
        DateTimeOffset now = time.GetUtcNow();
        if (entry.Show(now) is not { } pair)
        {
            return new DocumentAnswer(null, failure.Kind == FailureKind.NotFound ? RequestResult.Negative : RequestResult.Failed, failure);
        }

        return IsWithheld(pair, now)
            ? new DocumentAnswer(null, RequestResult.Failed, failure with { Detail = "the whitelist has expired and no Stratum 1 has a newer one: " + failure.Detail })
            : Answer(request, pair, shown);
    }

    /// <summary>Its whitelist has expired, and the settings say not to serve it then.</summary>
    private bool IsWithheld(SignedPair pair, DateTimeOffset now) =>
        !trustOptions.ServeExpired && pair is { IsVerified: true, Verdict.Whitelist: { } whitelist } && whitelist.ExpiresAt <= now;

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
        DateTimeOffset now = time.GetUtcNow();
        if (pair.IsVerified && pair.Verdict.WhitelistExpiresSoon(now) && entry.WarnedAt < now.AddDays(-1))
        {
            entry.WarnedAt = now;
            LogExpiring(log, entry.Repository.Fqrn, pair.Verdict.Whitelist!.ExpiresAt);
        }
    }

    private static string KeyOf(RepositoryRoute repository) => $"{repository.Cluster}/{repository.Fqrn}";

    private static string KeyOf(RepositoryRoute repository, string path) => $"{KeyOf(repository)}/{path}";

    [LoggerMessage(Level = LogLevel.Error, Message = "{Repository}: a Stratum 1's manifest or whitelist is refused ({Reason}): {Explanation} The last good pair goes on being served")]
    private static partial void LogRefused(ILogger log, string repository, TrustReason reason, string explanation);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Repository}: the whitelist expires at {ExpiresAt:u}; clients refuse the repository then. Its publisher must sign a new one")]
    private static partial void LogExpiring(ILogger log, string repository, DateTimeOffset expiresAt);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Repository}: revision {Revision} ({Trust}) is shown to clients")]
    private static partial void LogShown(ILogger log, string repository, ulong revision, string trust);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Repository}: revision {Revision} is held back until its working set is here, at most {Hold}")]
    private static partial void LogHeld(ILogger log, string repository, ulong revision, TimeSpan hold);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Repository}: an operator allows it to go back to revision {Floor} or later, once")]
    private static partial void LogRollbackAllowed(ILogger log, string repository, ulong floor);

    /// <summary>One repository.</summary>
    private sealed class Entry(RepositoryRoute repository, SignedPair? kept)
    {
        private readonly Lock _gate = new();
        private Task<RequestResult>? _check;      // guarded by _gate
        private SignedPair? _held;                // guarded by _gate
        private DateTimeOffset _holdUntil;        // guarded by _gate
        private Action<Entry, SignedPair>? _switch;

        public RepositoryRoute Repository { get; } = repository;

        public volatile SignedPair? Current = kept;

        public volatile UpstreamFailure? Failure;

        public volatile TrustVerdict? LastRefusal;

        public DateTimeOffset RetryAt { get; set; }

        public DateTimeOffset WarnedAt { get; set; }

        public ulong? RollbackFloor { get; set; }

        public bool IsHolding
        {
            get
            {
                lock (_gate)
                {
                    return _held is not null;
                }
            }
        }

        public RepositoryStatus ToStatus()
        {
            lock (_gate)
            {
                return new RepositoryStatus(Repository, Current, _held?.Parsed.Revision, LastRefusal);
            }
        }

        /// <summary>Joins the check under way, or starts one.</summary>
        public Task<RequestResult> CheckAsync(Func<Task<RequestResult>> check)
        {
            lock (_gate)
            {
                return _check ??= Task.Run(async () =>
                {
                    try
                    {
                        return await check();
                    }
                    finally
                    {
                        lock (_gate)
                        {
                            _check = null;
                        }
                    }
                });
            }
        }

        /// <summary>Runs as the only check; those who ask meanwhile wait for it.</summary>
        public async Task AloneAsync(Func<Task<RequestResult>> run)
        {
            while (true)
            {
                Task<RequestResult>? mine = null;
                Task<RequestResult>? other;
                lock (_gate)
                {
                    other = _check;
                    mine = other is null ? CheckAsync(run) : null;
                }

                if (mine is not null)
                {
                    await mine;
                    return;
                }

                await Task.WhenAny(other!);
            }
        }

        /// <summary>A pair that is held back and not newer than that is not shown any more.</summary>
        public void DropHeldUpTo(ulong revision)
        {
            lock (_gate)
            {
                _held = _held?.Parsed.Revision <= revision ? null : _held;
            }
        }

        public void Hold(SignedPair pair, DateTimeOffset until, Action<Entry, SignedPair> show)
        {
            lock (_gate)
            {
                (_held, _holdUntil, _switch) = (pair, until, show);
            }
        }

        /// <summary>What clients see at that time; ends a hold that is over.</summary>
        public SignedPair? Show(DateTimeOffset now)
        {
            lock (_gate)
            {
                if (_held is { } held && now >= _holdUntil)
                {
                    RevealLocked(held);
                }

                return Current;
            }
        }

        /// <summary>The working set is complete.</summary>
        public void Reveal(SignedPair pair)
        {
            lock (_gate)
            {
                if (ReferenceEquals(_held, pair))
                {
                    RevealLocked(pair);
                }
            }
        }

        private void RevealLocked(SignedPair pair)
        {
            _held = null;
            _switch!(this, pair);
        }
    }
}

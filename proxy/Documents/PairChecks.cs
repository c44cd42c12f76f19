using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Documents;

/// <summary>
/// Checks what is shown of a repository with its Stratum 1s. A refused pair changes nothing; a verified revision never goes back; a new one
/// may be held back until its working set is here. Thread-safe.
/// </summary>
internal sealed partial class PairChecks(
    ShownPairs shown, SignedPairFetcher fetcher, IRevisionGate gate, AllowedRevisions allowed, ProxyCounters counters, TimeProvider time,
    ILogger<PairChecks> log)
{
    private static readonly TimeSpan s_warnAgainAfter = TimeSpan.FromDays(1);

    // checks of what may be made-up names: no client may have them all
    private readonly FetchQueue _unknown = new(ShownPairs.MaxRepositories, prefetchLimit: 0);

    /// <summary>Joins the check of a repository that is under way, or starts one.</summary>
    /// <param name="entry">What is known of it.</param>
    /// <param name="request">For whom.</param>
    /// <param name="from">A node that has a newer revision; null: who is to be asked for this repository.</param>
    public Task<RequestResult> JoinOrStart(ShownPair entry, DocumentRequest request, Stratum1? from = null)
    {
        // What is known is checked on the proxy's own account.
        SharedPlace place = fetcher.PlaceOf(entry.Show() is null ? request : request with { Client = null });
        return entry.CheckAsync(place, request.Client, () => CheckAsync(entry, request, place, from));
    }

    /// <summary>A check of what is not known goes on when its client leaves, and may be of a made-up name.</summary>
    private async Task<RequestResult> CheckAsync(ShownPair entry, DocumentRequest request, SharedPlace shared, Stratum1? from)
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

    private async Task<RequestResult> CheckAsync(ShownPair entry, string? hint, SharedPlace place, SignedPair? before, Stratum1? from)
    {
        FetchedPair fetched =
            await fetcher.FetchAsync(entry.Repository, hint, place, before, entry.NewestWhitelist, FloorOf(entry),
                !entry.WasTakenBack, from);
        if (fetched is { Pair: null, Whitelist: { } newest } && shown.TakeWhitelist(entry, newest) && entry.Show() is null)
        {
            // A repository made anew: the revision that it had before counts no more.
            before = null;
            fetched = await fetcher.FetchAsync(entry.Repository, hint, place, null, newest, FloorOf(entry), mayAskNodes: false);
        }

        NoteRefusal(entry, fetched.Refusal);
        if (fetched.Pair is not { } pair)
        {
            entry.Failure = fetched.Failure;
            entry.FailedAt = time.GetTimestamp();
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
            shown.Switch(entry, pair);
            return before is null ? RequestResult.Miss : RequestResult.Revalidated;
        }

        LogHeld(log, entry.Repository.Fqrn, pair.Parsed.Revision, gate.MaxHold);
        int hold = entry.Hold(pair);
        _ = ready.ContinueWith(_ => entry.Reveal(hold), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        return RequestResult.Held;
    }

    /// <summary>The lower one of what a command and what the settings allow.</summary>
    private ulong? FloorOf(ShownPair entry) => (entry.RollbackFloor, allowed.FloorOf(entry.Repository.Fqrn)) is ({ } given, { } declared)
        ? Math.Min(given, declared)
        : entry.RollbackFloor ?? allowed.FloorOf(entry.Repository.Fqrn);

    private void NoteRefusal(ShownPair entry, TrustVerdict? refusal)
    {
        if (refusal is not null)
        {
            counters.RefusedDocuments.Add(1, new KeyValuePair<string, object?>("reason", refusal.Reason));
            if (entry.LastRefusal?.Reason != refusal.Reason)
            {
                LogRefused(log, entry.Repository.Fqrn, refusal.Reason, refusal.Explanation,
                    entry.Current is null ? "Clients get none until one is good" : "The last good pair goes on being served");
            }
        }

        entry.LastRefusal = refusal;
    }

    private void WarnOfExpiry(ShownPair entry, SignedPair pair)
    {
        if (pair.IsVerified && pair.Verdict.WhitelistExpiresSoon(time.GetUtcNow())
            && !(entry.WarnedAt is not 0 and long warnedAt && time.GetElapsedTime(warnedAt) < s_warnAgainAfter))
        {
            entry.WarnedAt = time.GetTimestamp();
            LogExpiring(log, entry.Repository.Fqrn, pair.Verdict.Whitelist!.ExpiresAt);
        }
    }

    [LoggerMessage(Level = LogLevel.Error,
        Message = "{Repository}: a Stratum 1's manifest or whitelist is refused ({Reason}): {Explanation} {Served}")]
    private static partial void LogRefused(ILogger log, Fqrn repository, TrustReason reason, string explanation, string served);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Repository}: the whitelist expires at {ExpiresAt:u}; clients refuse the repository then. Its publisher must sign a "
        + "new one")]
    private static partial void LogExpiring(ILogger log, Fqrn repository, DateTimeOffset expiresAt);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "{Repository}: revision {Revision} is held back until its working set is here, at most {Hold}")]
    private static partial void LogHeld(ILogger log, Fqrn repository, ulong revision, TimeSpan hold);
}

using System.Collections.Concurrent;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Threading;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Documents;

/// <summary>
/// What is shown of each repository: pairs of manifest and whitelist that the keys in force prove (ADR 0031), in memory and in the archive.
/// Thread-safe.
/// </summary>
internal sealed partial class ShownPairs(
    SignedPairFetcher fetcher, DocumentArchive archive, RepositoryTrust trust, IRevisionGate gate, TimeProvider time,
    ILogger<ShownPairs> log)
{
    /// <summary>A client may ask for any name below an allowed domain: remember no more of them than a site can have.</summary>
    internal const int MaxRepositories = 4096;

    /// <summary>Manifests and whitelists of all of them: 16 KB a repository, where the largest may have 320 KB.</summary>
    internal const long MaxBytes = 64L << 20;

    private readonly ConcurrentDictionary<string, ShownPair> _pairs = new(StringComparer.Ordinal);

    /// <summary>The checks under way, one a repository.</summary>
    public SingleFlight<ShownPair, SharedPlace?, RequestResult> Checks { get; } = new();

    /// <summary>What is known of each repository asked for since the start.</summary>
    public IEnumerable<ShownPair> All => _pairs.Values;

    /// <summary>The keys by which what is shown must be proved.</summary>
    public MasterKeys KeysInForce => trust.Keys;

    /// <summary>The time now, as a timestamp.</summary>
    public long Now => time.GetTimestamp();

    /// <summary>Has it been held back as long as the gate allows?</summary>
    public bool IsHoldOver(long heldAt) => time.GetElapsedTime(heldAt) >= gate.MaxHold;

    /// <summary>What is known of a repository; null: nobody has asked for it.</summary>
    public ShownPair? TryFind(RepositoryRoute repository) => _pairs.GetValueOrDefault(KeyOf(repository));

    /// <summary>What is known of a repository.</summary>
    public ShownPair Of(RepositoryRoute repository)
    {
        string key = KeyOf(repository);
        if (_pairs.TryGetValue(key, out ShownPair? entry))
        {
            return entry;
        }

        MakeRoom();
        return _pairs.GetOrAdd(key, _ => LoadKept(repository));
    }

    /// <summary>
    /// At the limit a sixteenth of the repositories are forgotten: those that nothing is known of first, verified ones last, each kind by
    /// the time of the last question. What was good is in the archive and comes back from there.
    /// </summary>
    private void MakeRoom()
    {
        int count = _pairs.Count;
        bool isTooLarge = count % 64 == 0 && _pairs.Values.Sum(entry => (long)entry.Cost) > MaxBytes;
        if (count < MaxRepositories && !isTooLarge)
        {
            return;
        }

        foreach (KeyValuePair<string, ShownPair> old in _pairs
            .Where(entry => !entry.Value.IsBusy)
            .OrderBy(entry => entry.Value.Current switch { null => 0, { IsVerified: false } => 1, _ => 2 })
            .ThenBy(entry => entry.Value.AskedAt)
            .Take((count / 16) + 1)
            .ToList())
        {
            _pairs.TryRemove(old);
        }
    }

    /// <summary>After a restart: what is good by the keys in force is served stale if need be, and is what the ratchet stands on.</summary>
    private ShownPair LoadKept(RepositoryRoute repository)
    {
        CachedDocument? whitelist = archive.Find(KeyOf(repository, SignedDocuments.WhitelistPath), out _);
        var entry = new ShownPair(this, repository) { NewestWhitelist = whitelist };
        if (archive.Find(KeyOf(repository, SignedDocuments.ManifestPath), out ReadOnlyMemory<byte>? certificate) is { } manifest)
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
    public SignedPair? JudgeAgain(ShownPair entry, SignedPair pair)
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
    public bool TakeWhitelist(ShownPair entry, CachedDocument whitelist)
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
        archive.Keep(KeyOf(entry.Repository, SignedDocuments.WhitelistPath), whitelist);
        return isWithdrawn;
    }

    /// <summary>Shows a pair, and keeps it.</summary>
    public void Switch(ShownPair entry, SignedPair pair)
    {
        if (entry.Current?.Parsed.Revision != pair.Parsed.Revision)
        {
            LogShown(log, entry.Repository.Fqrn, pair.Parsed.Revision, TrustOf(pair));
        }

        entry.WasTakenBack |= entry.Current?.Parsed.Revision > pair.Parsed.Revision;
        entry.Current = pair;
        archive.Keep(KeyOf(entry.Repository, SignedDocuments.ManifestPath), pair.Manifest, pair.Certificate);
        if (pair.Whitelist is { } whitelist)
        {
            entry.NewestWhitelist = whitelist;
            archive.Keep(KeyOf(entry.Repository, SignedDocuments.WhitelistPath), whitelist);
        }
    }

    /// <summary>Keeps what is shown; durable when the task is complete.</summary>
    public Task KeepAsync(RepositoryRoute repository, SignedPair pair) => Task.WhenAll(
        archive.KeepAsync(KeyOf(repository, SignedDocuments.ManifestPath), pair.Manifest, pair.Certificate),
        pair.Whitelist is { } whitelist
            ? archive.KeepAsync(KeyOf(repository, SignedDocuments.WhitelistPath), whitelist)
            : Task.CompletedTask);

    private void Withdrawn(ShownPair entry, TrustVerdict verdict)
    {
        entry.LastRefusal = verdict;
        entry.FailedAt = 0; // whoever asks next need not wait: a Stratum 1 may have what the keys prove
        LogWithdrawn(log, entry.Repository.Fqrn, verdict.Reason, verdict.Explanation);
    }

    private static string TrustOf(SignedPair pair) => pair.IsVerified ? "verified" : "unverified";

    private static string KeyOf(RepositoryRoute repository) => $"{repository.Cluster}/{repository.Fqrn}";

    private static string KeyOf(RepositoryRoute repository, string path) => $"{KeyOf(repository)}/{path}";

    [LoggerMessage(Level = LogLevel.Information, Message = "{Repository}: revision {Revision} ({Trust}) is shown to clients")]
    private static partial void LogShown(ILogger log, Fqrn repository, ulong revision, string trust);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "{Repository}: what was shown to clients is withdrawn, the keys and whitelist in force do not prove it ({Reason}): "
        + "{Explanation} Clients get what a Stratum 1 has, once it is good")]
    private static partial void LogWithdrawn(ILogger log, Fqrn repository, TrustReason reason, string explanation);
}

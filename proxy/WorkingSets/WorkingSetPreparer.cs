using System.Collections.Concurrent;
using System.Globalization;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Pins;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>
/// Resolves the working sets of a repository in a revision and brings what they need into the store: when a new revision is published,
/// before clients see it; when a boot begins, ahead of it; and by command. Thread-safe.
/// </summary>
internal sealed partial class WorkingSetPreparer(
    WorkingSetStore sets,
    SnapshotSource snapshots,
    Prefetcher prefetcher,
    PinSets pins,
    WorkingSetOptions options,
    TimeProvider time,
    IHostApplicationLifetime lifetime,
    ILogger<WorkingSetPreparer> log) : IRevisionGate
{
    /// <summary>The whole working set is read into memory at a storm's beginning, not at each of its boots.</summary>
    private static readonly TimeSpan s_warmAgainAfter = TimeSpan.FromMinutes(5);

    /// <summary>Objects whose names are kept, of all repositories; some 300 bytes each.</summary>
    internal const int MaxNamed = 200_000;

    private readonly ConcurrentDictionary<Fqrn, IReadOnlyList<ResolvedSet>> _resolved = new();
    private readonly ConcurrentDictionary<Fqrn, PrefetchProgress> _progress = new();
    private readonly ConcurrentDictionary<Fqrn, long> _warmedAt = new();

    /// <inheritdoc/>
    public TimeSpan MaxHold => options.Hold;

    /// <inheritdoc/>
    public Task? Prepare(RepositoryRoute repository, Manifest before, Manifest after)
    {
        if (!options.Prefetch || !sets.Any(repository.Fqrn))
        {
            return null;
        }

        Task prepared =
            Task.Run(() =>
            PrepareAsync(repository, sets.Of(repository.Fqrn), after, new PrefetchProgress(), PrefetchAim.Store, null,
            lifetime.ApplicationStopping));
        return options.Hold > TimeSpan.Zero ? prepared : null;
    }

    /// <summary>A boot has begun: bring the rest of what it will read to memory, ahead of it.</summary>
    public void BootBegan(RepositoryRoute repository, Func<SignedPair?> current)
    {
        if (!options.Prefetch || (_warmedAt.TryGetValue(repository.Fqrn, out long last) && time.GetElapsedTime(last) < s_warmAgainAfter)
            || current() is not { } pair)
        {
            return;
        }

        _warmedAt[repository.Fqrn] = time.GetTimestamp();
        _ = Task.Run(() =>
            PrepareAsync(repository, sets.Of(repository.Fqrn), pair.Parsed, new PrefetchProgress(), PrefetchAim.Boot, null,
            lifetime.ApplicationStopping));
    }

    /// <summary>How the latest prefetch of a repository stands; null when there was none since the start.</summary>
    public PrefetchProgress? ProgressOf(Fqrn repository) => _progress.GetValueOrDefault(repository);

    /// <summary>The path behind a key, from the working sets resolved last; null when none of them has it.</summary>
    public string? NameOf(Fqrn repository, ObjectKey key)
    {
        foreach (ResolvedSet set in _resolved.GetValueOrDefault(repository) ?? [])
        {
            if (set.NameOf(key) is { } path)
            {
                return path;
            }
        }

        return null;
    }

    /// <summary>Resolves sets in a revision and fetches what the store lacks. Problems are logged; the rest is done all the same.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="working">The sets.</param>
    /// <param name="manifest">The revision.</param>
    /// <param name="progress">Where it is told how it stands.</param>
    /// <param name="aim">What it is for.</param>
    /// <param name="order">
    /// Null: these are the repository's standing sets. Else the pin of an order: its objects are pinned under it, and one that cannot be
    /// met as a whole changes nothing.
    /// </param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The problem; null: none.</returns>
    public async Task<string?> PrepareAsync(
        RepositoryRoute repository,
        IReadOnlyList<WorkingSet> working,
        Manifest manifest,
        PrefetchProgress progress,
        PrefetchAim aim,
        PinName? order,
        CancellationToken cancellationToken)
    {
        long begun = time.GetTimestamp();
        try
        {
            List<ResolvedSet> resolved = [];
            string? problem = null;
            foreach (WorkingSet set in working)
            {
                problem = await ResolveAsync(repository, set, manifest, resolved, cancellationToken) ?? problem;
            }

            progress.Unmatched =
                [.. resolved.SelectMany(set => set.Unmatched).Select(entry => entry.Entry.Path!).Distinct(StringComparer.Ordinal)];
            if (order is not null && (problem ?? Unmet(working, resolved)) is { } unmet)
            {
                return $"{unmet} Nothing was fetched or pinned.";
            }

            _progress[repository.Fqrn] = progress;
            ObjectKey[] keys = [.. resolved.SelectMany(set => set.Objects).Select(item => item.Key).Distinct()];
            Pin(repository.Fqrn, order, manifest, keys, isWhole: problem is null);
            await prefetcher.RunAsync(repository, keys, progress, aim, cancellationToken);
            if (working.Any(set => sets.Find(set.Repository, set.Name) is not null))
            {
                KeepNames(repository.Fqrn, resolved);
            }

            if (problem is not null)
            {
                LogProblem(log, repository.Fqrn, manifest.Revision, problem);
            }

            LogPrepared(log, repository.Fqrn, manifest.Revision, keys.Length, progress.Fetched, progress.Failed,
                time.GetElapsedTime(begun).TotalMilliseconds);
            return problem;
        }
        catch (OperationCanceledException)
        {
            return "It was cancelled.";
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            LogProblem(log, repository.Fqrn, manifest.Revision, e.Message);
            return e.Message;
        }
    }

    /// <summary>The names are for people: those of other repositories make room, and a set beyond all room has none.</summary>
    private void KeepNames(Fqrn repository, IReadOnlyList<ResolvedSet> resolved)
    {
        _resolved.TryRemove(repository, out _);
        int named = resolved.Sum(set => set.Objects.Count);
        foreach ((Fqrn other, IReadOnlyList<ResolvedSet> sets) in named <= MaxNamed ? _resolved : [])
        {
            named += sets.Sum(set => set.Objects.Count);
            if (named > MaxNamed)
            {
                _resolved.TryRemove(other, out _);
                named -= sets.Sum(set => set.Objects.Count);
            }
        }

        if (named <= MaxNamed)
        {
            _resolved[repository] = resolved;
        }
    }

    /// <summary>
    /// Exempts the objects from eviction: the standing sets of the two newest manifests (VMs of the older one still run), or what a command
    /// named.
    /// </summary>
    private void Pin(Fqrn repository, PinName? order, Manifest manifest, ObjectKey[] keys, bool isWhole)
    {
        bool isStanding = order is null;
        string prefix = PinName.StandingPrefix(repository);
        string name = (order ?? PinName.OfStandingSet(repository, PinOrder(manifest))).Text;
        try
        {
            if (!isWhole)
            {
                // A catalog that could not be had just now: what was pinned before stays so.
                keys = [.. keys.Union(pins.Keys(name) ?? [])];
            }

            if (keys.Length > 0 && pins.Put(name, keys) == PinResult.OverLimit)
            {
                LogNotPinned(log, repository, manifest.Revision, pins.MaxBytes);
            }

            foreach (string old in isStanding
                ? pins.List().Select(set => set.Name).Where(set => set.StartsWith(prefix, StringComparison.Ordinal) && set != name)
                    .OrderDescending(StringComparer.Ordinal).Skip(1)
                : [])
            {
                pins.Remove(old);
            }
        }
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            LogProblem(log, repository, manifest.Revision, $"its objects are not pinned: {e.Message}");
        }
    }

    /// <summary>
    /// Orders the pins of a repository by when their manifests were published: a tag that moves keeps the revision, and a repository that
    /// is made anew counts from 1 again.
    /// </summary>
    private static string PinOrder(Manifest manifest) => string.Create(
        CultureInfo.InvariantCulture,
        $"{manifest.PublishedAt?.ToUnixTimeSeconds() ?? 0:d11}-{manifest.Revision:d20}-"
        + $"{manifest.RootCatalog.ToString()[..8]}{manifest.History?.ToString()[..8]}");

    /// <summary>Paths that were named and are not in the snapshot; null: none. A set may name what only some revisions have.</summary>
    private string? Unmet(IReadOnlyList<WorkingSet> working, List<ResolvedSet> resolved)
    {
        if (working.Any(set => sets.Find(set.Repository, set.Name) is not null))
        {
            return null;
        }

        string[] missing =
            [.. resolved.SelectMany(set => set.Unmatched).Where(entry => !entry.IsDirectory).Select(entry => entry.Entry.Path!).Distinct()
            .Take(4)];
        return missing.Length == 0
            ? null
            : $"The repository has nothing at {string.Join(", ", missing.Take(3))}{(missing.Length > 3 ? ", …" : "")}.";
    }

    /// <summary>A set may be booted by several tags; each snapshot that they show is resolved once.</summary>
    private async Task<string?> ResolveAsync(
        RepositoryRoute repository, WorkingSet set, Manifest manifest, List<ResolvedSet> resolved, CancellationToken cancellationToken)
    {
        History? history = null;
        string? problem = null;
        if (set.Snapshots.Any(tag => tag != WorkingSet.Trunk) && manifest.History is ObjectKey key
            && !(await snapshots.ReadHistoryAsync(repository, key, cancellationToken)).TryGet(out history, out problem))
        {
            return problem;
        }

        List<ObjectKey> roots = [];
        foreach (string tag in set.Snapshots)
        {
            if ((tag == WorkingSet.Trunk ? manifest.RootCatalog : history?.Find(tag)?.RootCatalog) is ObjectKey found)
            {
                roots.Add(found);
            }
            else
            {
                problem = $"The repository has no tag '{tag}' in revision {manifest.Revision}.";
            }
        }

        foreach (ObjectKey root in roots.Distinct())
        {
            Parsed<ResolvedSet> one = await ResolvedSet.ResolveAsync(set, snapshots.Tree(repository, root), manifest, cancellationToken);
            if (one.TryGet(out ResolvedSet? value, out string? why))
            {
                resolved.Add(value);
            }
            else
            {
                problem = why;
            }
        }

        return problem;
    }

    [LoggerMessage(Level = LogLevel.Information,
        Message = "{Repository}: the working set of revision {Revision} is here: {Objects} objects, {Fetched} of them fetched, {Failed} "
        + "not to be had, in {Milliseconds:0} ms")]
    private static partial void LogPrepared(ILogger log, Fqrn repository, ulong revision, int objects, int fetched, int failed,
    double milliseconds);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Repository}: the objects of revision {Revision} are not pinned and may be evicted: more than {Bytes} bytes would be "
        + "pinned. Raise the store's quota")]
    private static partial void LogNotPinned(ILogger log, Fqrn repository, ulong revision, long bytes);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Repository}: the working set of revision {Revision} is not resolved as a whole: {Problem}")]
    private static partial void LogProblem(ILogger log, Fqrn repository, ulong revision, string problem);
}

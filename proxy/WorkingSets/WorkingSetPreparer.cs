using System.Collections.Concurrent;
using System.Globalization;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Retention;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Repositories;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>
/// Resolves the working sets of a repository in a revision and brings what they need into the store: when a new revision is published, before clients see
/// it; when a boot begins, ahead of it; and by command. Thread-safe.
/// </summary>
internal sealed partial class WorkingSetPreparer(
    WorkingSetStore sets,
    SnapshotSource snapshots,
    Prefetcher prefetcher,
    IObjectStore store,
    WorkingSetOptions options,
    TimeProvider time,
    IHostApplicationLifetime lifetime,
    ILogger<WorkingSetPreparer> log) : IRevisionGate
{
    /// <summary>The whole working set is read into memory at a storm's beginning, not at each of its boots.</summary>
    private static readonly TimeSpan s_warmAgainAfter = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, IReadOnlyList<ResolvedSet>> _resolved = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, PrefetchProgress> _progress = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _warmedAt = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public TimeSpan MaxHold => options.Hold;

    /// <inheritdoc/>
    public Task? Prepare(RepositoryRoute repository, Manifest before, Manifest after)
    {
        if (!options.Prefetch || !sets.Any(repository.Fqrn))
        {
            return null;
        }

        Task prepared = Task.Run(() => PrepareAsync(repository, sets.Of(repository.Fqrn), after, new PrefetchProgress(), PrefetchAim.Store, lifetime.ApplicationStopping));
        return options.Hold > TimeSpan.Zero ? prepared : null;
    }

    /// <summary>A boot has begun: bring the rest of what it will read to memory, ahead of it.</summary>
    public void BootBegan(RepositoryRoute repository, Func<SignedPair?> current)
    {
        if (!options.Prefetch || !sets.Any(repository.Fqrn)
            || (_warmedAt.TryGetValue(repository.Fqrn, out long last) && time.GetElapsedTime(last) < s_warmAgainAfter)
            || current() is not { } pair)
        {
            return;
        }

        _warmedAt[repository.Fqrn] = time.GetTimestamp();
        _ = Task.Run(() => PrepareAsync(repository, sets.Of(repository.Fqrn), pair.Parsed, new PrefetchProgress(), PrefetchAim.Boot, lifetime.ApplicationStopping));
    }

    /// <summary>How the latest prefetch of a repository stands; null when there was none since the start.</summary>
    public PrefetchProgress? ProgressOf(string repository) => _progress.GetValueOrDefault(repository);

    /// <summary>The path behind a key, from the working sets resolved last; null when none of them has it.</summary>
    public string? NameOf(string repository, ObjectKey key)
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
    public async Task<string?> PrepareAsync(
        RepositoryRoute repository,
        IReadOnlyList<WorkingSet> working,
        Manifest manifest,
        PrefetchProgress progress,
        PrefetchAim aim,
        CancellationToken cancellationToken)
    {
        long begun = time.GetTimestamp();
        _progress[repository.Fqrn] = progress;
        try
        {
            List<ResolvedSet> resolved = [];
            string? problem = null;
            foreach (WorkingSet set in working)
            {
                problem = await ResolveAsync(repository, set, manifest, resolved, cancellationToken) ?? problem;
            }

            ObjectKey[] keys = [.. resolved.SelectMany(set => set.Objects).Select(item => item.Key).Distinct()];
            progress.Unmatched = [.. resolved.SelectMany(set => set.Unmatched).Select(entry => entry.Entry.Path!).Distinct(StringComparer.Ordinal)];
            Pin(repository.Fqrn, working, manifest, keys);
            await prefetcher.RunAsync(repository, keys, progress, aim, cancellationToken);
            if (working.Any(set => sets.Find(set.Repository, set.Name) is not null))
            {
                _resolved[repository.Fqrn] = resolved;
            }

            if (problem is not null)
            {
                LogProblem(log, repository.Fqrn, manifest.Revision, problem);
            }

            LogPrepared(log, repository.Fqrn, manifest.Revision, keys.Length, progress.Fetched, progress.Failed, time.GetElapsedTime(begun).TotalMilliseconds);
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

    /// <summary>
    /// Exempts the objects from eviction: the standing sets of the two newest manifests (VMs of the older one still run), or what a command named.
    /// </summary>
    private void Pin(string repository, IReadOnlyList<WorkingSet> working, Manifest manifest, ObjectKey[] keys)
    {
        bool isStanding = working.Any(set => sets.Find(set.Repository, set.Name) is not null);
        string prefix = $"workingset/{repository}/";
        string name = isStanding ? prefix + PinOrder(manifest) : $"warm/{repository}/{(working[0].Snapshots[0] is { Length: > 0 } tag ? tag : "newest")}";
        try
        {
            if (store.Pins.Put(name, keys) == PinResult.OverLimit)
            {
                LogNotPinned(log, repository, manifest.Revision, store.Pins.MaxBytes);
            }

            foreach (string old in isStanding
                ? store.Pins.List().Select(set => set.Name).Where(set => set.StartsWith(prefix, StringComparison.Ordinal) && set != name)
                    .OrderDescending(StringComparer.Ordinal).Skip(1)
                : [])
            {
                store.Pins.Remove(old);
            }
        }
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            LogProblem(log, repository, manifest.Revision, $"its objects are not pinned: {e.Message}");
        }
    }

    /// <summary>
    /// Orders the pins of a repository by when their manifests were published: a tag that moves keeps the revision, and a repository that is made anew
    /// counts from 1 again.
    /// </summary>
    private static string PinOrder(Manifest manifest) => string.Create(
        CultureInfo.InvariantCulture,
        $"{manifest.PublishedAt?.ToUnixTimeSeconds() ?? 0:d11}-{manifest.Revision:d20}-{manifest.RootCatalog.ToString()[..8]}{manifest.History?.ToString()[..8]}");

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

        IEnumerable<ObjectKey> roots = set.Snapshots
            .Select(tag => tag == WorkingSet.Trunk ? manifest.RootCatalog : history?.Find(tag)?.RootCatalog)
            .OfType<ObjectKey>()
            .Distinct();
        foreach (ObjectKey root in roots)
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

    [LoggerMessage(Level = LogLevel.Information, Message = "{Repository}: the working set of revision {Revision} is here: {Objects} objects, {Fetched} of them fetched, {Failed} not to be had, in {Milliseconds:0} ms")]
    private static partial void LogPrepared(ILogger log, string repository, ulong revision, int objects, int fetched, int failed, double milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Repository}: the objects of revision {Revision} are not pinned and may be evicted: more than {Bytes} bytes would be pinned. Raise the store's quota")]
    private static partial void LogNotPinned(ILogger log, string repository, ulong revision, long bytes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Repository}: the working set of revision {Revision} is not resolved as a whole: {Problem}")]
    private static partial void LogProblem(ILogger log, string repository, ulong revision, string problem);
}

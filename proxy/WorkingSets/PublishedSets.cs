using System.Collections.Concurrent;
using Breakwater.CacheStore;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>
/// Working sets that travel with their repository: its publisher put what other sites learned into the file <see cref="Path"/>, which is
/// verified as every file is, by the signed manifest. The first boot of a repository of which nothing is known here looks for it. They
/// count as learned: own boots are merged into them, and they make room for newer ones. Thread-safe.
/// </summary>
internal sealed partial class PublishedSets(
    SnapshotSource snapshots, WorkingSetStore sets, WorkingSetOptions options, TimeProvider time, IHostApplicationLifetime lifetime,
    ILogger<PublishedSets> log)
{
    /// <summary>The file in a repository.</summary>
    public const string Path = "/.breakwater-sets";

    /// <summary>Sets taken of one repository, as many as are learned of one.</summary>
    public const int MaxSets = 4;

    private const int MaxEntries = 50_000;

    /// <summary>Repositories of which it is remembered that they were looked at.</summary>
    private const int MaxRemembered = 4096;

    private readonly ConcurrentDictionary<Fqrn, ObjectKey> _looked = new();

    /// <summary>Looks for the file in the background, once a revision.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="manifest">Its verified revision.</param>
    /// <param name="found">Called when sets were found and are in force.</param>
    public void Look(RepositoryRoute repository, Manifest manifest, Action found)
    {
        if (!options.Prefetch || _looked.GetValueOrDefault(repository.Fqrn) == manifest.RootCatalog)
        {
            return;
        }

        if (_looked.Count >= MaxRemembered)
        {
            _looked.Clear();
        }

        _looked[repository.Fqrn] = manifest.RootCatalog;
        _ = Task.Run(() => TakeAsync(repository, manifest, found));
    }

    /// <summary>
    /// Why a set is not taken; null: it is. A publisher can name files, not whole trees: a pattern would fetch what nobody asks for.
    /// </summary>
    /// <param name="set">The set.</param>
    /// <param name="fqrn">The repository with which it travels.</param>
    public static string? ProblemOf(WorkingSet set, Fqrn fqrn) =>
        set.Repository != fqrn ? $"'{set.Name}' is a working set of {set.Repository}, not of {fqrn}."
        : !PinName.IsGiven(set.Name)
            ? $"A name has at most {PinName.MaxGivenChars} characters, none of them a slash or control character."
        : set.Entries.Count > MaxEntries ? $"'{set.Name}' has more than {MaxEntries} entries."
        : set.Entries.Any(entry => entry is { Path: { } path, IsLiteral: false } && path.AsSpan().ContainsAny("*?["))
            ? $"'{set.Name}' has patterns: only what boots read travels with a repository."
        : null;

    private async Task TakeAsync(RepositoryRoute repository, Manifest manifest, Action found)
    {
        try
        {
            CatalogTree tree = snapshots.Tree(repository, manifest.RootCatalog);
            if (!(await snapshots.ReadFileAsync(repository, tree, Path, lifetime.ApplicationStopping)).TryGet(out byte[]? text, out _))
            {
                return; // most have none
            }

            if (!WorkingSetFile.ReadAll(text).TryGet(out IReadOnlyList<WorkingSet>? read, out string? problem))
            {
                LogUnreadable(log, repository.Fqrn, Path, problem);
                return;
            }

            WorkingSet[] taken =
                [.. read.Where(set => ProblemOf(set, repository.Fqrn) is null).DistinctBy(set => set.Name).Take(MaxSets)];
            foreach (WorkingSet set in sets.Any(repository.Fqrn) ? [] : taken)
            {
                await sets.PutAsync(await JudgeAsync(set, tree));
            }

            LogTaken(log, repository.Fqrn, taken.Length, Path);
            if (taken.Length > 0)
            {
                found();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The proxy stops, or the store cannot: clients are served as ever.
        }
    }

    /// <summary>
    /// The set as it counts here: whole directories are those of which it reads nearly all, not those that its publisher names, and it
    /// stands for no more boots than sets are merged from, so that own boots are learned from.
    /// </summary>
    private async Task<WorkingSet> JudgeAsync(WorkingSet set, CatalogTree tree)
    {
        IReadOnlyList<string>? nearlyAll = null;
        _ = set.WholeDirectories.Count > 0
            && (await WholeDirectoryRule.FindAsync(tree, set.Entries, lifetime.ApplicationStopping)).TryGet(out nearlyAll, out _);
        return set with
        {
            Source = WorkingSetSource.Learned,
            WholeDirectories = [.. set.WholeDirectories.Intersect(nearlyAll ?? [], StringComparer.Ordinal)],
            Boots = Math.Clamp(set.Boots, 0, BootLearner.BootsMerged),
            UpdatedAt = time.GetUtcNow(),
        };
    }

    [LoggerMessage(Level = LogLevel.Information,
        Message = "{Repository}: nothing was known of its boots; {Sets} working sets were published with it in {Path}")]
    private static partial void LogTaken(ILogger log, Fqrn repository, int sets, string path);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Repository}: the working sets published with it in {Path} are not used: {Problem}")]
    private static partial void LogUnreadable(ILogger log, Fqrn repository, string path, string problem);
}

using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>Turns recorded boots into working sets. One boot at a time; not thread-safe but for <see cref="WantsMore"/>.</summary>
internal sealed partial class BootLearner(WorkingSetStore sets, SnapshotSource snapshots, WorkingSetOptions options, TimeProvider time,
    ILogger<BootLearner> log)
{
    /// <summary>The newest boots that a set is merged from: enough for a median, few enough to follow changes.</summary>
    public const int BootsMerged = 9;

    /// <summary>Different kinds of boots of one repository; what comes beyond is no boot of an image but work of users.</summary>
    private const int MaxSetsOfRepository = 4;

    /// <summary>A set that has seen enough boots looks at one now and then.</summary>
    private static readonly TimeSpan s_settledPause = TimeSpan.FromMinutes(10);

    private readonly Dictionary<(Fqrn Repository, string Name), List<(long Boot, BootProfile Profile)>> _profiles = [];
    private readonly SetWitnesses _witnesses = new(sets);

    /// <summary>Entries of all profiles that are kept beside the sets merged from them; some 200 bytes each.</summary>
    public int MaxProfileEntries { get; init; } = 300_000;

    /// <summary>Is another boot of this repository worth recording?</summary>
    public bool WantsMore(Fqrn repository)
    {
        IReadOnlyList<WorkingSet> known = sets.Of(repository);
        return known.Count == 0 || known.Any(set => set.Source == WorkingSetSource.Learned && (set.Boots < BootsMerged || !IsSettled(set)));
    }

    /// <summary>Was it learned a moment ago? Not when it says so of the future: a wall clock that was ahead stored that.</summary>
    private bool IsSettled(WorkingSet set) => time.GetUtcNow() - set.UpdatedAt is { Ticks: >= 0 } age && age <= s_settledPause;

    /// <summary>Learns from a boot. Null: it says nothing (no root catalog, or too different from what is known).</summary>
    public async Task<WorkingSet?> LearnAsync(RepositoryRoute repository, RecordedBoot boot, CancellationToken cancellationToken)
    {
        if (boot.RootCatalog is not ObjectKey root)
        {
            return null;
        }

        History? history = null;
        if (boot.Reads.Where(read => read.Key.Kind == ObjectKind.History).Select(read => (ObjectKey?)read.Key)
            .FirstOrDefault() is ObjectKey historyKey)
        {
            history = (await snapshots.ReadHistoryAsync(repository, historyKey, cancellationToken)).Value;
        }

        Parsed<BootProfile> mapped = await BootProfiler.MapAsync(boot, snapshots.Tree(repository, root), history, cancellationToken);
        if (!mapped.TryGet(out BootProfile? profile, out string? problem))
        {
            LogNotMapped(log, repository.Fqrn, problem);
            return null;
        }

        if (ChooseSet(repository.Fqrn, profile, boot.Client) is not { } name)
        {
            return null;
        }

        if (boot.IsCut)
        {
            LogCut(log, repository.Fqrn, name, options.BootWindow);
        }

        List<(long Boot, BootProfile Profile)> profiles = ProfilesOf(repository.Fqrn, name);
        profiles.RemoveAll(earlier => earlier.Boot == boot.Id && boot.Id != 0);
        profiles.Add((boot.Id, profile));
        if (profiles.Count > BootsMerged)
        {
            profiles.RemoveAt(0);
        }

        ForgetProfiles(profiles);

        WorkingSet set = BootMerge.Merge(repository.Fqrn, name, [.. profiles.Select(known => known.Profile)], time.GetUtcNow());
        await sets.PutAsync(set);
        _witnesses.Note(repository.Fqrn, name, boot.Client);
        LogLearned(log, repository.Fqrn, name, set.Entries.Count, set.Boots);
        return set;
    }

    /// <summary>
    /// The learned set whose boots read mostly the same; else a new one, for which the least proven one makes room if need be.
    /// </summary>
    private string? ChooseSet(Fqrn repository, BootProfile profile, IPAddress? client)
    {
        WorkingSet[] learned = [.. sets.Of(repository).Where(set => set.Source == WorkingSetSource.Learned)];
        HashSet<string> paths = Paths(profile.Entries);
        WorkingSet? best = learned.MaxBy(set => Paths(set.Entries).Count(paths.Contains));
        if (best is not null && Paths(best.Entries) is var known && known.Count(paths.Contains) * 2 >= Math.Min(known.Count, paths.Count))
        {
            return best.Name;
        }

        if (learned.Length >= MaxSetsOfRepository)
        {
            if (_witnesses.LeastProven(learned, client) is not { } displaced)
            {
                return null;
            }

            sets.Remove(repository, displaced.Name);
            _profiles.Remove((repository, displaced.Name));
            _witnesses.Forget(repository, displaced.Name);
            LogDisplaced(log, repository, displaced.Name);
        }

        string name = "boot-" + (profile.Snapshots[0].Length == 0 ? "trunk" : profile.Snapshots[0]);
        string unique = name;
        for (int number = 2; sets.Find(repository, unique) is not null; number++)
        {
            unique = $"{name}-{number}";
        }

        return unique;
    }

    /// <summary>After a restart the set itself stands for the boots that it was merged from.</summary>
    private List<(long Boot, BootProfile Profile)> ProfilesOf(Fqrn repository, string name)
    {
        if (!_profiles.TryGetValue((repository, name), out List<(long Boot, BootProfile Profile)>? profiles))
        {
            profiles = sets.Find(repository, name) is { } set
                ? [(0, new BootProfile(set.Snapshots, set.Entries, set.WholeDirectories))]
                : [];
            _profiles[(repository, name)] = profiles;
        }

        return profiles;
    }

    /// <summary>Beyond the entries profiles of other sets go first: the set itself stands for them, as after a restart.</summary>
    private void ForgetProfiles(List<(long Boot, BootProfile Profile)> newest)
    {
        long entries = _profiles.Values.Sum(profiles => profiles.Sum(known => (long)known.Profile.Entries.Count));
        while (entries > MaxProfileEntries)
        {
            ((Fqrn, string) key, List<(long Boot, BootProfile Profile)> oldest) =
                _profiles.FirstOrDefault(other => other.Value != newest);
            if (oldest is not null)
            {
                _profiles.Remove(key);
                entries -= oldest.Sum(known => (long)known.Profile.Entries.Count);
            }
            else if (newest.Count > 1)
            {
                entries -= newest[0].Profile.Entries.Count;
                newest.RemoveAt(0);
            }
            else
            {
                return;
            }
        }
    }

    private static HashSet<string> Paths(IEnumerable<WorkingSetEntry> entries) =>
        entries.Where(entry => !entry.IsCatalogOnly).Select(entry => entry.Path ?? entry.Key.ToString()!).ToHashSet(StringComparer.Ordinal);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "{Repository}: the working set {Name} has {Entries} entries, learned from {Boots} boots")]
    private static partial void LogLearned(ILogger log, Fqrn repository, string name, int entries, int boots);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "{Repository}: the learned set {Name}, whose boots one client alone has shown, makes room for another client's")]
    private static partial void LogDisplaced(ILogger log, Fqrn repository, string name);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Repository}: a boot was seen, but its objects could not be mapped to paths: {Problem}")]
    private static partial void LogNotMapped(ILogger log, Fqrn repository, string problem);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Repository}: a boot still went on after {Window} and was recorded no longer; what it read later is missing in the "
        + "working set {Name}. Raise WorkingSets:BootWindow for slow boots")]
    private static partial void LogCut(ILogger log, Fqrn repository, string name, TimeSpan window);
}

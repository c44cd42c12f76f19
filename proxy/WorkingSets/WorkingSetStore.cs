using System.Collections.Concurrent;
using Breakwater.CacheStore.Documents;
using Breakwater.Proxy.Snapshots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>The working sets of this proxy, kept in the store across restarts. Thread-safe.</summary>
internal sealed partial class WorkingSetStore
{
    private const string Prefix = "workingset/";

    /// <summary>
    /// Learned sets of all repositories: those that were learned longest ago make room. What an operator gives is not counted.
    /// </summary>
    internal const int MaxLearned = 256;

    /// <summary>Entries of all learned sets; some 400 bytes each.</summary>
    internal const int MaxLearnedEntries = 250_000;

    private readonly ConcurrentDictionary<(Fqrn Repository, string Name), WorkingSet> _sets = new();
    private readonly IDocumentStore _documents;
    private readonly TimeProvider _time;
    private readonly ILogger<WorkingSetStore> _log;

    public WorkingSetStore(IDocumentStore documents, TimeProvider time, ILogger<WorkingSetStore> log)
    {
        _documents = documents;
        _time = time;
        _log = log;
        foreach (string key in documents.Keys(Prefix))
        {
            if (documents.TryGet(key, out StoredDocument? stored))
            {
                if (WorkingSetFile.Read(stored.Body.Span).TryGet(out WorkingSet? set, out string? problem))
                {
                    _sets[(set.Repository, set.Name)] = set;
                }
                else
                {
                    LogUnreadable(log, key, problem);
                }
            }
        }
    }

    /// <summary>All sets.</summary>
    public IReadOnlyList<WorkingSet> All =>
        [.. _sets.Values.OrderBy(set => set.Repository).ThenBy(set => set.Name, StringComparer.Ordinal)];

    /// <summary>The sets of a repository.</summary>
    public IReadOnlyList<WorkingSet> Of(Fqrn repository) => [.. All.Where(set => set.Repository == repository)];

    /// <summary>One set; null when there is none of that name.</summary>
    public WorkingSet? Find(Fqrn repository, string name) => _sets.GetValueOrDefault((repository, name));

    /// <summary>Has the repository any set?</summary>
    public bool Any(Fqrn repository) => _sets.Any(pair => pair.Key.Repository == repository);

    /// <summary>
    /// Adds or replaces a set. False: it is too large to be kept, or the disk refused it; it is in force until the process ends.
    /// </summary>
    public async Task<bool> PutAsync(WorkingSet set)
    {
        _sets[(set.Repository, set.Name)] = set;
        MakeRoom(set);
        byte[] body = WorkingSetFile.Write(set);
        try
        {
            if (body.Length <= _documents.MaxDocumentBytes)
            {
                await _documents.PutAsync(KeyOf(set.Repository, set.Name), new StoredDocument(body, default, _time.GetUtcNow()));
                return true;
            }

            LogNotKept(_log, null, set.Repository, set.Name);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            LogNotKept(_log, e, set.Repository, set.Name);
        }

        return false;
    }

    /// <summary>Forgets a set. False: there was none.</summary>
    public bool Remove(Fqrn repository, string name)
    {
        _documents.Remove(KeyOf(repository, name));
        return _sets.TryRemove((repository, name), out _);
    }

    private void MakeRoom(WorkingSet newest)
    {
        int count = 0;
        long entries = 0;
        foreach (WorkingSet set in _sets.Values.Where(set => set.Source == WorkingSetSource.Learned)
            .OrderByDescending(set => ReferenceEquals(set, newest)).ThenByDescending(set => set.UpdatedAt).ToList())
        {
            entries += set.Entries.Count;
            if ((++count > MaxLearned || entries > MaxLearnedEntries) && !ReferenceEquals(set, newest))
            {
                Remove(set.Repository, set.Name);
            }
        }
    }

    private static string KeyOf(Fqrn repository, string name) => $"{Prefix}{repository}/{name}";

    [LoggerMessage(Level = LogLevel.Warning, Message = "The stored working set {Key} is unreadable and is not used: {Problem}")]
    private static partial void LogUnreadable(ILogger log, string key, string problem);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The working set {Name} of {Repository} is not stored; after a restart it must be learned or imported again")]
    private static partial void LogNotKept(ILogger log, Exception? exception, Fqrn repository, string name);
}

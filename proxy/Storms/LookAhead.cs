using System.Collections.Concurrent;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Documents;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;

namespace Breakwater.Proxy.Storms;

/// <summary>
/// Runs ahead of clients whose misses follow a trail that was walked before: the rest of it is fetched, several objects at a time, while they ask for one after
/// the other. It needs no catalogs and no manifest; working sets know more (paths, so that they survive a new revision), this knows sooner. Trails outlive
/// a restart and the objects. Thread-safe.
/// </summary>
internal sealed partial class LookAhead(
    Prefetcher prefetcher, IDocumentStore documents, WorkingSetOptions options, TimeProvider time, ILogger<LookAhead> log) : BackgroundService
{
    private const string Prefix = "trail/";

    private static readonly TimeSpan s_saveInterval = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, MissTrail> _trails = Load(documents);
    private CancellationToken _stopping;

    /// <summary>A client waits for an object that the store lacks, the first to do so.</summary>
    public void Missed(RepositoryRoute repository, in ObjectKey key)
    {
        if (!options.Learn)
        {
            return;
        }

        MissTrail trail = _trails.GetOrAdd(repository.Fqrn, static _ => new MissTrail());
        IReadOnlyList<ObjectKey> next;
        lock (trail)
        {
            next = trail.Note(key);
        }

        if (next.Count > 0 && options.Prefetch)
        {
            _ = Task.Run(() => RunAsync(repository, next), _stopping);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _stopping = stoppingToken;
        using var timer = new PeriodicTimer(s_saveInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await SaveAsync();
            }
        }
        catch (OperationCanceledException)
        {
            await SaveAsync();
        }
    }

    private static ConcurrentDictionary<string, MissTrail> Load(IDocumentStore documents)
    {
        var trails = new ConcurrentDictionary<string, MissTrail>(StringComparer.Ordinal);
        foreach (string name in documents.Keys(Prefix))
        {
            if (documents.TryGet(name, out StoredDocument? saved))
            {
                trails[name[Prefix.Length..]] = MissTrail.Of(Read(Encoding.ASCII.GetString(saved.Body.Span)));
            }
        }

        return trails;
    }

    private static IEnumerable<ObjectKey> Read(string text)
    {
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (ObjectKey.TryParse(line, out ObjectKey key))
            {
                yield return key;
            }
        }
    }

    private async Task RunAsync(RepositoryRoute repository, IReadOnlyList<ObjectKey> keys)
    {
        long begun = time.GetTimestamp();
        var progress = new PrefetchProgress();
        try
        {
            await prefetcher.RunAsync(repository, keys, progress, PrefetchAim.Boot, _stopping);
            if (progress.Failed > keys.Count / 2)
            {
                // Names that nobody has, made up or of a revision long gone: not worth remembering.
                _trails.TryRemove(repository.Fqrn, out _);
            }

            LogLookedAhead(log, repository.Fqrn, keys.Count, progress.Fetched, progress.Failed, time.GetElapsedTime(begun).TotalMilliseconds);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The proxy stops, or the store cannot: clients are served as ever.
        }
    }

    private async Task SaveAsync()
    {
        foreach ((string repository, MissTrail trail) in _trails)
        {
            byte[] body;
            lock (trail)
            {
                if (!trail.IsChanged)
                {
                    continue;
                }

                body = Encoding.ASCII.GetBytes(string.Join('\n', trail.Keys));
                trail.MarkSaved();
            }

            try
            {
                if (body.Length <= documents.MaxDocumentBytes)
                {
                    await documents.PutAsync(Prefix + repository, new StoredDocument(body, default, time.GetUtcNow()));
                }
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                LogNotSaved(log, e, repository);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Repository}: looked ahead of clients, {Objects} objects: {Fetched} fetched, {Failed} not to be had, in {Milliseconds:0} ms")]
    private static partial void LogLookedAhead(ILogger log, string repository, int objects, int fetched, int failed, double milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Repository}: the order of its misses is not saved; after a restart it is learned anew")]
    private static partial void LogNotSaved(ILogger log, Exception exception, string repository);
}

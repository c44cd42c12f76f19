using System.Text;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Prefetching;

/// <summary>
/// The trails of misses, learned from what is fetched for clients, and kept among the store's documents so that they outlive a restart.
/// Thread-safe.
/// </summary>
internal sealed partial class SavedTrails(
    IDocumentStore documents, WorkingSetOptions options, TimeProvider time, ILogger<SavedTrails> log) : IVerifiedListener
{
    private const string Prefix = "trail/";

    /// <summary>The trails.</summary>
    public MissTrails Trails { get; } = Load(documents);

    /// <inheritdoc/>
    public void OnVerified(FetchOrder order)
    {
        if (options.Learn && order.Priority != FetchPriority.Prefetch)
        {
            Trails.Learn(order.Repository.Fqrn, order.Key);
        }
    }

    /// <summary>Writes what has changed since the last time. One caller at a time.</summary>
    public async Task SaveAsync()
    {
        foreach (Fqrn repository in Trails.TakeForgotten())
        {
            documents.Remove(Prefix + repository);
        }

        foreach ((Fqrn repository, ObjectKey[] keys) in Trails.TakeChanged())
        {
            try
            {
                byte[] body = Encoding.ASCII.GetBytes(string.Join('\n', keys));
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

    private static MissTrails Load(IDocumentStore documents)
    {
        List<(Fqrn Fqrn, StoredDocument Saved)> all = [];
        foreach (string name in documents.Keys(Prefix))
        {
            if (documents.TryGet(name, out StoredDocument? saved) && Fqrn.TryParse(name[Prefix.Length..], out Fqrn fqrn))
            {
                all.Add((fqrn, saved));
            }
        }

        var trails = new MissTrails();
        foreach ((Fqrn repository, StoredDocument saved) in all.OrderBy(trail => trail.Saved.StoredAt))
        {
            trails.Restore(repository, Read(Encoding.ASCII.GetString(saved.Body.Span)));
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

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Repository}: the order of its misses is not saved; after a restart it is learned anew")]
    private static partial void LogNotSaved(ILogger log, Exception exception, Fqrn repository);
}

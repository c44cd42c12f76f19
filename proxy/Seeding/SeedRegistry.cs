using System.Text;
using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Documents;
using Breakwater.CacheStore.Pins;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Seeding;

/// <summary>
/// The seeds of a store. A seed exists from the moment its record is written, and not before: that put is the atomic switch. Its manifests,
/// whitelists and master keys are kept beside the record; they are judged and offered to clients after it, and again at every start, so
/// that a crash between the two loses nothing and a key that the site gets later decides. Thread-safe.
/// </summary>
internal sealed class SeedRegistry(
    IDocumentStore documents,
    IObjectStore store,
    PinSets pins,
    SignedDocuments signed,
    SeedTrust trust,
    RepositoryRoutes routes,
    ProxyOptions proxy,
    SeedOptions options,
    TimeProvider time,
    ILogger<SeedRegistry> log)
{
    private const string RecordPrefix = "seed/";
    private const string DocumentPrefix = "seed-document/";

    private readonly StoreMetadata _metadata = new(store);

    /// <summary>All seeds, by name.</summary>
    public IReadOnlyList<SeedRecord> List() =>
        [.. documents.Keys(RecordPrefix).Order(StringComparer.Ordinal).Select(key => Find(key[RecordPrefix.Length..]))
        .OfType<SeedRecord>()];

    /// <summary>A seed by its name; null: there is none.</summary>
    public SeedRecord? Find(string name) =>
        documents.TryGet(RecordPrefix + name, out StoredDocument? stored) ? JsonSerializer.Deserialize<SeedRecord>(stored.Body.Span) : null;

    /// <summary>
    /// Writes a seed's documents, then its record; durable when the task is complete. <see cref="RevealAllAsync"/> shows them.
    /// </summary>
    /// <exception cref="IOException">The store's disk refuses: the seed is not there.</exception>
    public async Task AddAsync(SeedRecord record, IReadOnlyDictionary<string, byte[]> files, CancellationToken cancellationToken)
    {
        // Together, so that one commit of the store takes them all.
        await Task.WhenAll(files.Where(file => file.Key != SeedPath.Inherited).Select(file =>
            documents.PutAsync($"{DocumentPrefix}{record.Name}/{file.Key}", new StoredDocument(file.Value, default, record.ImportedAt),
            cancellationToken).AsTask()));

        byte[] body = JsonSerializer.SerializeToUtf8Bytes(record);
        await documents.PutAsync(RecordPrefix + record.Name, new StoredDocument(body, default, record.ImportedAt), cancellationToken);
        foreach (string old
            in documents.Keys($"{DocumentPrefix}{record.Name}/")
            .Where(key => !files.ContainsKey(key[(DocumentPrefix.Length + record.Name.Length + 1)..])).ToArray())
        {
            documents.Remove(old); // of a seed of that name before: its key would prove what this one brings
        }
    }

    /// <summary>
    /// Unpins and forgets a seed, also one whose import was interrupted; its manifest and whitelist stay as long as nothing newer comes.
    /// False: there is none of this name.
    /// </summary>
    /// <exception cref="SeedStoreException">It is published here, which is no cache, or the settings declare it.</exception>
    public bool Remove(string name)
    {
        if (Find(name) is { Repositories: [var only] } && name == SeedName.OfPublished(only.Fqrn) && Route(only.Fqrn)?.IsPublished == true)
        {
            throw new SeedStoreException(
                $"{only.Fqrn} is published on this machine: 'breakwater publish gc' frees what no tag needs. To give it up whole, take "
                + $"Repositories:{only.Fqrn}:Published out of the settings first.");
        }

        if (Find(name)?.File is { } file && options.Files.Contains(file, StringComparer.Ordinal))
        {
            throw new SeedStoreException($"The seed {name} is declared in the settings: take {file} out of Seeds:Files.");
        }

        bool wasThere = documents.Remove(RecordPrefix + name);
        foreach (string key in documents.Keys($"{DocumentPrefix}{name}/"))
        {
            documents.Remove(key);
        }

        wasThere |= pins.Remove(PinName.OfSeed(name).Text);
        Admit();
        return wasThere;
    }

    /// <summary>
    /// Shows clients the documents of every seed where they are newer than what is there; what only renews a whitelist comes after all
    /// manifests.
    /// </summary>
    public async Task RevealAllAsync()
    {
        Admit();
        var all = List().SelectMany(record => record.Repositories.Select(repository => (Record: record, Repository: repository)));
        foreach ((SeedRecord record, SeedRecordRepository repository) in all.OrderBy(item => item.Repository.Snapshots.Count == 0))
        {
            if (Route(repository.Fqrn) is not { } route)
            {
                log.LogWarning(
                    "Seed {Name} brings {Repository}, which is not in Repositories: it is served once it is added there, or with "
                    + "Seeds:Serve.", record.Name, repository.Fqrn);
                continue;
            }

            try
            {
                Dictionary<string, byte[]> files = FilesOf(record.Name, repository.Fqrn);
                await signed.ReplaceAsync(route,
                    shown => SeedReveal.Choose(trust, repository, files, Moment.Stored(record.ImportedAt, time), shown, _metadata.ReadAll));
            }
            catch (SeedRefusedException e)
            {
                log.LogError("Seed {Name}: {Repository} is not shown to clients, by the keys that this site has now: {Problem}",
                    record.Name, repository.Fqrn, e.Message);
            }
        }
    }

    /// <summary>Without a network a repository is served because a seed has brought it; with one, when the settings say so.</summary>
    private void Admit() =>
        routes.Admit(proxy.Offline || options.Serve ? List().SelectMany(record => record.Repositories).Select(one => one.Fqrn) : []);

    /// <summary>The manifest that is served for a repository; null: none, or it is not allowed in <c>Repositories</c>.</summary>
    public Manifest? HeldManifest(string fqrn) => Route(fqrn) is { } route ? signed.Find(route)?.Parsed : null;

    /// <summary>The whitelist that is served for a repository; null: none.</summary>
    public Whitelist? HeldWhitelist(string fqrn) => Route(fqrn) is { } route ? signed.Find(route)?.Verdict.Whitelist : null;

    /// <summary>Is it published on this machine?</summary>
    public bool IsPublished(string fqrn) => Route(fqrn)?.IsPublished == true;

    private RepositoryRoute? Route(string fqrn) => routes.TryFind(Encoding.ASCII.GetBytes(fqrn), out RepositoryRoute? route) ? route : null;

    private Dictionary<string, byte[]> FilesOf(string name, string fqrn)
    {
        Dictionary<string, byte[]> files = new(StringComparer.Ordinal);
        foreach (string file
            in (string[])[SeedPath.OfDocument(fqrn, SeedPath.Manifest), SeedPath.OfDocument(fqrn, SeedPath.Whitelist),
            SeedPath.OfMasterKey(fqrn)])
        {
            if (documents.TryGet($"{DocumentPrefix}{name}/{file}", out StoredDocument? stored))
            {
                files[file] = stored.Body.ToArray();
            }
        }

        return files;
    }
}

using System.Text.Json;
using Breakwater.CacheStore.Documents;
using Breakwater.Proxy.Seeding.Format;

namespace Breakwater.Proxy.Seeding;

/// <summary>The records of seeds in the store, each with its manifests, whitelists and master keys beside it. Thread-safe.</summary>
internal sealed class SeedRecords(IDocumentStore documents)
{
    private const string RecordPrefix = "seed/";
    private const string DocumentPrefix = "seed-document/";

    /// <summary>All seeds, by name.</summary>
    public IReadOnlyList<SeedRecord> List() =>
        [.. documents.Keys(RecordPrefix).Order(StringComparer.Ordinal).Select(key => Find(key[RecordPrefix.Length..]))
        .OfType<SeedRecord>()];

    /// <summary>A seed by its name; null: there is none.</summary>
    public SeedRecord? Find(string name) =>
        documents.TryGet(RecordPrefix + name, out StoredDocument? stored) ? JsonSerializer.Deserialize<SeedRecord>(stored.Body.Span) : null;

    /// <summary>
    /// Writes a seed's documents, then its record; durable when the task is complete. That last put is the atomic switch.
    /// </summary>
    /// <exception cref="IOException">The store's disk refuses: the seed is not there.</exception>
    public async Task PutAsync(SeedRecord record, IReadOnlyDictionary<string, byte[]> files, CancellationToken cancellationToken)
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

    /// <summary>Removes a record and what stands beside it. False: there was no record.</summary>
    public bool Remove(string name)
    {
        bool wasThere = documents.Remove(RecordPrefix + name);
        foreach (string key in documents.Keys($"{DocumentPrefix}{name}/"))
        {
            documents.Remove(key);
        }

        return wasThere;
    }

    /// <summary>What stands beside a record for one repository, by the names of the bundle's entries.</summary>
    public Dictionary<string, byte[]> FilesOf(string name, string fqrn)
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

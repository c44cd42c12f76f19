using System.Text;
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
    SeedRecords records, SeedReveal reveal, PinSets pins, SignedDocuments signed, RepositoryRoutes routes, ProxyOptions proxy,
    SeedOptions options)
{
    /// <inheritdoc cref="SeedRecords.List"/>
    public IReadOnlyList<SeedRecord> List() => records.List();

    /// <summary>The same, each repository judged by the keys that this site has now: a key may have come after the import.</summary>
    public IReadOnlyList<SeedRecord> ListJudged() => [.. List().Select(record => record with
    {
        Repositories = [.. record.Repositories.Select(repository => reveal.Judged(record, repository))],
    })];

    /// <inheritdoc cref="SeedRecords.Find"/>
    public SeedRecord? Find(string name) => records.Find(name);

    /// <summary>
    /// Writes a seed's documents, then its record; durable when the task is complete. <see cref="RevealAllAsync"/> shows them.
    /// </summary>
    /// <exception cref="IOException">The store's disk refuses: the seed is not there.</exception>
    public Task AddAsync(SeedRecord record, IReadOnlyDictionary<string, byte[]> files, CancellationToken cancellationToken) =>
        records.PutAsync(record, files, cancellationToken);

    /// <summary>
    /// Unpins and forgets a seed, also one whose import was interrupted; its manifest and whitelist stay as long as nothing newer comes.
    /// False: there is none of this name.
    /// </summary>
    /// <exception cref="SeedStoreException">It is published here, which is no cache, or the settings declare it.</exception>
    public bool Remove(string name)
    {
        if (Find(name) is not null && PublishedUnder(name) is { } published)
        {
            throw new SeedStoreException(
                $"{published} is published on this machine: 'breakwater publish gc' frees what no tag needs. To give it up whole, take "
                + $"Repositories:{published}:Published out of the settings first.");
        }

        if (Find(name)?.File is { } file && options.Files.Contains(file, StringComparer.Ordinal))
        {
            throw new SeedStoreException($"The seed {name} is declared in the settings: take {file} out of Seeds:Files.");
        }

        bool wasThere = records.Remove(name) | pins.Remove(PinName.OfSeed(name).Text);
        Admit();
        return wasThere;
    }

    /// <summary>
    /// Shows clients the documents of every seed where they are newer than what is there; what only renews a whitelist comes after all
    /// manifests. Of what is published here, a bundle that no key of this site proves shows nothing: anybody can make one of that name.
    /// </summary>
    public async Task RevealAllAsync()
    {
        Admit();
        var all = List().SelectMany(record => record.Repositories.Select(repository => (Record: record, Repository: repository)));
        foreach ((SeedRecord record, SeedRecordRepository repository) in all.OrderBy(item => item.Repository.Snapshots.Count == 0))
        {
            RepositoryRoute? route = Route(repository.Fqrn);
            if (route?.IsPublished != true || reveal.IsVerified(route.Fqrn) || PublishedUnder(record.Name) == repository.Fqrn)
            {
                await reveal.ShowAsync(record, repository, route);
            }
        }
    }

    /// <summary>Without a network a repository is served because a seed has brought it; with one, when the settings say so.</summary>
    private void Admit() =>
        routes.Admit(proxy.Offline || options.Serve
            ? List().SelectMany(record => record.Repositories).Select(one => Fqrn.Parse(one.Fqrn))
            : []);

    /// <summary>The manifest that is served for a repository; null: none, or it is not allowed in <c>Repositories</c>.</summary>
    public Manifest? HeldManifest(string fqrn) => Route(fqrn) is { } route ? signed.Find(route)?.Parsed : null;

    /// <summary>The whitelist that is served for a repository; null: none.</summary>
    public Whitelist? HeldWhitelist(string fqrn) => Route(fqrn) is { } route ? signed.Find(route)?.Verdict.Whitelist : null;

    /// <summary>The repository published on this machine that a seed of this name holds; null: it is the name of another seed.</summary>
    public string? PublishedUnder(string name) =>
        name.StartsWith(SeedName.OfPublished(""), StringComparison.Ordinal) && name[SeedName.OfPublished("").Length..] is var fqrn
        && fqrn.Length > 0 && IsPublished(fqrn) ? fqrn : null;

    /// <summary>Is it published on this machine?</summary>
    public bool IsPublished(string fqrn) => Route(fqrn)?.IsPublished == true;

    private RepositoryRoute? Route(string fqrn) => routes.TryFind(Fqrn.Parse(fqrn), out RepositoryRoute? route) ? route : null;
}

using Breakwater.CacheStore;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Seeding;

/// <summary>
/// Shows clients what a seed has brought of a repository: the newest manifest, under the whitelist that vouches for it longest.
/// Thread-safe.
/// </summary>
internal sealed class SeedReveal(
    SeedRecords records, IObjectStore store, SignedDocuments signed, SeedTrust trust, TimeProvider time, ILogger<SeedReveal> log)
{
    /// <summary>Longer ones are not kept with a pair.</summary>
    private const int MaxCertificateBytes = 64 << 10;

    private readonly StoreMetadata _metadata = new(store);

    /// <summary>Has this site a key that proves who signed this repository?</summary>
    public bool IsVerified(Fqrn fqrn) => trust.HasKeyOf(fqrn);

    /// <summary>What a seed brings of a repository, as the keys that this site has now judge it.</summary>
    /// <param name="record">The seed.</param>
    /// <param name="repository">One that it brings.</param>
    public SeedRecordRepository Judged(SeedRecord record, SeedRecordRepository repository)
    {
        try
        {
            Dictionary<string, byte[]> files = records.FilesOf(record.Name, repository.Fqrn);
            return repository with { IsVerified = trust.Judge(repository.Fqrn, files, _metadata.ReadAll).IsVerified };
        }
        catch (SeedRefusedException e)
        {
            return repository with { IsVerified = false, Problem = e.Message };
        }
    }

    /// <summary>Shows it where it is newer than what is there; says so in the log if it cannot be shown.</summary>
    /// <param name="record">The seed.</param>
    /// <param name="repository">One that it brings.</param>
    /// <param name="route">Where that is served from; null: it is not in <c>Repositories</c>.</param>
    public async Task ShowAsync(SeedRecord record, SeedRecordRepository repository, RepositoryRoute? route)
    {
        if (route is null)
        {
            log.LogWarning(
                "Seed {Name} brings {Repository}, which is not in Repositories: it is served once it is added there, or with "
                + "Seeds:Serve.", record.Name, repository.Fqrn);
            return;
        }

        try
        {
            Dictionary<string, byte[]> files = records.FilesOf(record.Name, repository.Fqrn);
            await signed.ReplaceAsync(route,
                shown => Choose(trust, repository, files, Moment.Stored(record.ImportedAt, time), shown, _metadata.ReadAll));
        }
        catch (SeedRefusedException e)
        {
            log.LogError("Seed {Name}: {Repository} is not shown to clients, by the keys that this site has now: {Problem}",
                record.Name, repository.Fqrn, e.Message);
        }
    }

    /// <summary>Decides what clients see of a repository once a seed has brought it. Pure.</summary>
    /// <param name="trust">Judges, by this site's keys where it has one.</param>
    /// <param name="repository">What the seed brings; without snapshots it only renews a whitelist.</param>
    /// <param name="files">The seed's manifest, whitelist and master key by the names of their entries.</param>
    /// <param name="importedAt">When the seed was imported.</param>
    /// <param name="shown">What clients see now; null: nothing.</param>
    /// <param name="certificate">Wire bytes of an object; null when it is not at hand.</param>
    /// <returns>The pair to show instead; null: leave what is shown.</returns>
    /// <exception cref="SeedRefusedException">The seed's documents are not good by the keys in force.</exception>
    public static SignedPair? Choose(
        SeedTrust trust,
        SeedRecordRepository repository,
        IReadOnlyDictionary<string, byte[]> files,
        Moment importedAt,
        SignedPair? shown,
        Func<ObjectKey, byte[]?> certificate)
    {
        SeedTrustVerdict offered = trust.Judge(repository.Fqrn, files, certificate);
        string manifestName = SeedPath.OfDocument(repository.Fqrn, SeedPath.Manifest);
        string whitelistName = SeedPath.OfDocument(repository.Fqrn, SeedPath.Whitelist);
        if (shown is { IsVerified: true } && !offered.IsVerified)
        {
            return null;
        }

        bool isNewer = repository.Snapshots.Count > 0 && !(shown?.Parsed.Revision >= offered.Manifest.Revision);
        if (!isNewer && shown is null)
        {
            return null;
        }

        CachedDocument manifest = isNewer ? ToDocument(files[manifestName], importedAt) : shown!.Manifest;
        CachedDocument? best = null;
        SeedTrustVerdict? bestVerdict = null;
        foreach (CachedDocument whitelist
            in new[] { shown?.Whitelist, ToDocument(files[whitelistName], importedAt) }.OfType<CachedDocument>())
        {
            var both = new Dictionary<string, byte[]>(files, StringComparer.Ordinal)
            {
                [manifestName] = manifest.Body.ToArray(),
                [whitelistName] = whitelist.Body.ToArray(),
            };
            if (trust.TryJudge(repository.Fqrn, both, certificate) is { } verdict
                && !(bestVerdict?.Whitelist.ExpiresAt >= verdict.Whitelist.ExpiresAt))
            {
                (best, bestVerdict) = (whitelist, verdict);
            }
        }

        return bestVerdict is null || (!isNewer && ReferenceEquals(best, shown!.Whitelist))
            ? null
            : ToPair(manifest, best!, bestVerdict, certificate);
    }

    private static CachedDocument ToDocument(byte[] bytes, Moment importedAt) =>
        new(bytes, ContentTypeField.Default, DocumentFetcher.FileLifetime, importedAt, TimeSpan.Zero, null);

    private static SignedPair ToPair(
        CachedDocument manifest, CachedDocument whitelist, SeedTrustVerdict verdict, Func<ObjectKey, byte[]?> certificate) => new(
        manifest with { IsVerified = verdict.IsVerified },
        whitelist with { IsVerified = verdict.IsVerified },
        new TrustVerdict(
            verdict.IsVerified ? TrustOutcome.Accepted : TrustOutcome.Unverified,
            verdict.IsVerified ? TrustReason.Verified : TrustReason.NoKey,
            $"Revision {verdict.Manifest.Revision} came with a seed.",
            verdict.Manifest,
            verdict.Whitelist),
        verdict.Manifest.Certificate is ObjectKey key && certificate(key) is { Length: <= MaxCertificateBytes } wire
        ? wire
        : (ReadOnlyMemory<byte>?)null);
}

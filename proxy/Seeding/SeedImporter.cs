using Breakwater.CacheStore;
using Breakwater.CacheStore.Pins;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.Proxy.Snapshots;

namespace Breakwater.Proxy.Seeding;

/// <summary>Checks bundles, and brings them into a store. Thread-safe.</summary>
internal sealed class SeedImporter(IObjectStore store, SeedRegistry registry, PinSets pins, SeedTrust trust, TimeProvider time)
{
    /// <summary>Checks a bundle without a store: every byte, the chain of trust, and what the index promises.</summary>
    /// <exception cref="SeedRefusedException">It is not what it must be.</exception>
    public static async Task<SeedFindings> VerifyAsync(
        Stream bundle, SeedTrust trust, SeedLimits limits, IProgress<SeedProgress>? progress, CancellationToken cancellationToken)
    {
        using var metadata = new SpooledMetadata();
        var source = new BundleSource(bundle, limits);
        SeedIndex index = await source.ReadIndexAsync(cancellationToken);
        return (await ReadAsync(source, index, trust, metadata, metadata, progress, cancellationToken)).Findings;
    }

    /// <summary>
    /// Imports: every object is verified and durable, then the set is pinned, then the seed's record makes it visible. Interrupted at any
    /// point, nothing of the seed is visible, and another run goes on with what is stored. Refused, what this run had stored is removed
    /// again.
    /// </summary>
    /// <param name="source">The bundle or tree.</param>
    /// <param name="name">Name for the seed; null: the one in the bundle.</param>
    /// <param name="progress">Told now and then; may be null.</param>
    /// <param name="cancellationToken">Interrupts it.</param>
    /// <exception cref="SeedRefusedException">It is not what it must be.</exception>
    /// <exception cref="SeedStoreException">The store could not take all of it.</exception>
    public Task<SeedImportResult> ImportAsync(ISeedSource source, string? name, IProgress<SeedProgress>? progress,
        CancellationToken cancellationToken) => ImportAsync(source, name, null, progress, cancellationToken);

    /// <summary>Imports as the other one does, for the settings.</summary>
    /// <param name="source">The bundle or tree.</param>
    /// <param name="name">Name for the seed; null: the one in the bundle.</param>
    /// <param name="file">The file in <c>Seeds:Files</c> that it is; null: a command brings it.</param>
    /// <param name="progress">Told now and then; may be null.</param>
    /// <param name="cancellationToken">Interrupts it.</param>
    public async Task<SeedImportResult> ImportAsync(ISeedSource source, string? name, string? file, IProgress<SeedProgress>? progress,
        CancellationToken cancellationToken)
    {
        SeedIndex index = await source.ReadIndexAsync(cancellationToken);
        string asked = name ?? index.Name;
        if (registry.PublishedUnder(asked) is { } published)
        {
            throw new SeedRefusedException($"{SeedPath.Index}, field name", 0,
                $"the seed {asked} holds {published}, which is published on this machine and nowhere else: only 'breakwater publish' "
                + $"replaces it; import the bundle under another --name");
        }

        return await TakeAsync(source, index, asked, file, progress, cancellationToken);
    }

    /// <summary>
    /// Imports a revision of a repository that is published on this machine, in place of the one before. A name in a bundle is anybody's
    /// word, so this takes more than a name.
    /// </summary>
    /// <param name="source">The revision.</param>
    /// <param name="fqrn">The repository.</param>
    /// <param name="cancellationToken">Interrupts it.</param>
    /// <exception cref="SeedRefusedException">It is not what it must be, or not of this repository alone.</exception>
    /// <exception cref="SeedStoreException">The store could not take all of it.</exception>
    public async Task<SeedImportResult> PublishAsync(ISeedSource source, string fqrn, CancellationToken cancellationToken)
    {
        SeedIndex index = await source.ReadIndexAsync(cancellationToken);
        return index.Repositories is [{ } only] && only.Fqrn == fqrn
            ? await TakeAsync(source, index, SeedName.OfPublished(fqrn), null, null, cancellationToken)
            : throw new SeedRefusedException($"{SeedPath.Index}, field repositories", 0, $"is not {fqrn} alone");
    }

    private async Task<SeedImportResult> TakeAsync(ISeedSource source, SeedIndex index, string name, string? file,
        IProgress<SeedProgress>? progress, CancellationToken cancellationToken)
    {
        if (index.ObjectBytes > pins.MaxBytes)
        {
            throw TooLarge(index.ObjectBytes);
        }

        (SeedFindings findings, SeedContent content, int added) = await ReadAsync(
            source, index, trust, new StoreSink(store), new StoreMetadata(store), progress, cancellationToken, Undo);
        index = findings.Index;
        CheckRenewal(index, findings);
        ObjectKey[] keys = [.. content.Keys, .. content.Inherited];
        IReadOnlyList<ObjectKey>? before = pins.Keys(PinName.OfSeed(name).Text);
        int unpinned = (before ?? []).Except(keys).Count();
        if (pins.Put(PinName.OfSeed(name).Text, keys) != PinResult.Pinned)
        {
            throw TooLarge(index.ObjectBytes);
        }

        var warnings = new List<string>();
        bool isReplaced = registry.Find(name) is { } known && known.IndexSha256 != findings.IndexSha256;
        if (unpinned > 0)
        {
            warnings.Add(
                $"A seed {name} was there before: it is replaced, and {unpinned} of its objects are no longer pinned. To have both, "
                + $"import that one again under another --name.");
        }
        else if (isReplaced)
        {
            warnings.Add($"A seed {name} was there before: it is replaced by this one, which has all of its objects.");
        }

        SeedRecordRepository[] repositories =
            [.. index.Repositories.Select(repository => ToRecord(repository, findings.Trust[repository.Fqrn], warnings))];
        var record = new SeedRecord(name, findings.IndexSha256, time.GetUtcNow(), keys.Length, index.ObjectBytes, repositories, file);
        try
        {
            ThrowIfEvicted(keys, key => store.Contains(key));
            await registry.AddAsync(record, content.Documents, cancellationToken);
        }
        catch
        {
            PinAsBefore(name, before); // a seed of that name is still there, and needs its objects
            throw;
        }

        await registry.RevealAllAsync();
        return new SeedImportResult(record, added, warnings);
    }

    private static async Task<(SeedFindings Findings, SeedContent Content, int Added)> ReadAsync(
        ISeedSource source,
        SeedIndex index,
        SeedTrust trust,
        IObjectSink sink,
        ISeedMetadata metadata,
        IProgress<SeedProgress>? progress,
        CancellationToken cancellationToken,
        Action<IReadOnlyList<ObjectKey>>? undo = null)
    {
        var verdicts = new Dictionary<string, SeedTrustVerdict>(StringComparer.Ordinal);
        await using var intake = new ObjectIntake(sink, cancellationToken);
        var content = new SeedContent(
            index,
            intake,
            read =>
            {
                foreach (SeedRepository repository in index.Repositories)
                {
                    verdicts[repository.Fqrn] = trust.Judge(repository.Fqrn, read.Documents, read.Certificate);
                }
            },
            progress);
        try
        {
            await source.ReadContentAsync(content, cancellationToken);
            content.End();
            await intake.CompleteAsync();
            cancellationToken.ThrowIfCancellationRequested();
            ThrowIfEvicted(content.Keys, key => metadata.Has(key));
            index = await AuditAsync(index, verdicts, content, metadata, cancellationToken);
        }
        catch (SeedRefusedException refused)
        {
            // What the reader stumbled over may be the consequence of an object that a worker has just found to be damaged.
            await intake.DisposeAsync();
            undo?.Invoke(intake.Added);
            if (intake.Refusal is { } first && (refused.Offset < 0 || first.Offset < refused.Offset))
            {
                throw first;
            }

            throw;
        }

        return (new SeedFindings(index, source.Identity, verdicts), content, intake.Added.Count);
    }

    private void PinAsBefore(string name, IReadOnlyList<ObjectKey>? before)
    {
        if (before is null)
        {
            pins.Remove(PinName.OfSeed(name).Text);
        }
        else
        {
            pins.Put(PinName.OfSeed(name).Text, before);
        }
    }

    private SeedStoreException TooLarge(long bytes) => new(
        $"The store may pin {pins.MaxBytes} bytes and has pinned {pins.Bytes}; this bundle has {bytes}. Raise Store:QuotaBytes, or "
        + $"remove a seed ('breakwater seed list').");

    /// <summary>What was stored a moment ago is gone again: the bundle is right, the store is too small or too busy.</summary>
    private static void ThrowIfEvicted(IEnumerable<ObjectKey> keys, Func<ObjectKey, bool> has)
    {
        ObjectKey missing = keys.FirstOrDefault(key => !has(key));
        if (missing != default)
        {
            throw new SeedStoreException(
                $"Object {missing} was evicted during the import: the store's quota is too small for it. Raise Store:QuotaBytes and run "
                + $"the import again.");
        }
    }

    /// <summary>Compares the index with the content; a tree without an index gets its snapshots here.</summary>
    private static async Task<SeedIndex> AuditAsync(
        SeedIndex index, Dictionary<string, SeedTrustVerdict> verdicts, SeedContent content, ISeedMetadata metadata,
        CancellationToken cancellationToken)
    {
        if (metadata is SpooledMetadata spooled)
        {
            spooled.Add(content.Inherited);
        }
        else if (content.Inherited.FirstOrDefault(key => !metadata.Has(key)) is var missing && missing != default)
        {
            throw new SeedRefusedException(SeedPath.Inherited, -1,
                $"object {missing} is not in the store: import first the bundle that this one continues");
        }

        var audit = new SeedAudit(metadata);
        var repositories = new List<SeedRepository>();
        foreach (SeedRepository repository in index.Repositories)
        {
            SeedTrustVerdict verdict = verdicts[repository.Fqrn];
            SeedRepository found = repository;
            if (index.Format == SeedIndex.TreeFormat)
            {
                found = new SeedRepository(
                    repository.Fqrn, verdict.Manifest.Revision, verdict.Whitelist.ExpiresAt,
                    await audit.DiscoverAsync(verdict.Manifest, cancellationToken));
                if (found.Snapshots.Count == 0)
                {
                    throw new SeedRefusedException(repository.Fqrn, -1,
                        "neither the trunk nor a tag is complete in this tree: objects are missing");
                }
            }
            else
            {
                await audit.CheckAsync(repository, verdict.Manifest, verdict.Whitelist, cancellationToken);
            }

            repositories.Add(found);
        }

        return index with { Repositories = repositories };
    }

    /// <summary>A refused bundle leaves nothing behind; what others have pinned meanwhile stays.</summary>
    private void Undo(IReadOnlyList<ObjectKey> added)
    {
        foreach (ObjectKey key in added.Where(key => !pins.IsPinned(key)))
        {
            store.Remove(key);
        }
    }

    private static SeedRecordRepository ToRecord(SeedRepository repository, SeedTrustVerdict verdict, List<string> warnings)
    {
        if (!verdict.IsVerified)
        {
            warnings.Add(
                $"{repository.Fqrn} is not verified by a key of this site: put its master key into Repositories:KeysDirectory to be sure "
                + $"who signed it. It is judged by that key within seconds, without another import.");
        }

        if (verdict.IsExpired)
        {
            warnings.Add(
                $"The whitelist of {repository.Fqrn} expired at {verdict.Whitelist.ExpiresAt:u}: VMs that have booted before boot again, "
                + $"first boots need a renewed one ('seed export --whitelist-only').");
        }

        return new SeedRecordRepository(repository.Fqrn, verdict.Manifest.Revision, verdict.IsVerified, verdict.Whitelist.ExpiresAt,
            repository.Snapshots);
    }

    /// <summary>
    /// A renewed whitelist must list the certificate of the manifest that is held, or it would break the repository that it should renew.
    /// </summary>
    private void CheckRenewal(SeedIndex index, SeedFindings findings)
    {
        foreach (SeedRepository repository in index.Repositories.Where(repository => repository.Snapshots.Count == 0))
        {
            if (registry.HeldManifest(repository.Fqrn) is { } held
                && held.Certificate != findings.Trust[repository.Fqrn].Manifest.Certificate)
            {
                throw new SeedRefusedException(
                    SeedPath.OfDocument(repository.Fqrn, SeedPath.Whitelist), -1,
                    $"renews a manifest signed by another certificate than that of revision {held.Revision}, which is in this store; "
                    + $"import a whole bundle instead");
            }
        }
    }
}

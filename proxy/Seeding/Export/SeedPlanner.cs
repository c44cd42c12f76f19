using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Seeding.Export;

/// <summary>Finds out what an export carries: documents, history and catalogs are fetched, the files' objects are only named.</summary>
internal sealed class SeedPlanner(ObjectGetter getter, IObjectStore store, SeedTrust trust, TrustOptions trustOptions)
{
    private readonly StoreMetadata _metadata = new(store);
    private readonly SeedUnmatched _unmatched = new();
    private long _missingBytes;

    /// <summary>Plans.</summary>
    /// <exception cref="SeedExportException">It cannot be done as asked.</exception>
    public async Task<SeedPlan> PlanAsync(SeedOrder order, CancellationToken cancellationToken)
    {
        _missingBytes = 0;
        _unmatched.Clear();
        List<SeedPlanRepository> repositories = [];
        foreach (string fqrn in order.Repositories.Distinct().Order(StringComparer.Ordinal))
        {
            repositories.Add(await PlanAsync(fqrn, order, cancellationToken));
        }

        (string, ObjectKey)[] missing = [.. repositories
            .SelectMany(repository => repository.Objects.Select(key => (repository.Fqrn, Key: key)))
            .Where(item => !order.Since.Contains(item.Key) && !store.Contains(item.Key))
            .DistinctBy(item => item.Key)];
        return new SeedPlan(repositories, missing, _missingBytes)
        {
            Unmatched = _unmatched.Sentences(order.Paths is { IsSpecification: true }),
            PartlyMatched = _unmatched.Partly(),
        };
    }

    private async Task<SeedPlanRepository> PlanAsync(string fqrn, SeedOrder order, CancellationToken cancellationToken)
    {
        Dictionary<string, byte[]> documents = new(StringComparer.Ordinal);
        foreach (string file in (string[])[SeedPath.Manifest, SeedPath.Whitelist])
        {
            documents[SeedPath.OfDocument(fqrn, file)] = await getter.DocumentAsync(fqrn, file, cancellationToken);
        }

        if (FindMasterKey(fqrn, documents[SeedPath.OfDocument(fqrn, SeedPath.Whitelist)]) is { } pem)
        {
            documents[SeedPath.OfMasterKey(fqrn)] = pem;
        }

        HashSet<ObjectKey> objects = [];
        if (Manifest.Parse(documents[SeedPath.OfDocument(fqrn, SeedPath.Manifest)])
            .Value is not { Certificate: ObjectKey certificate } manifest)
        {
            throw new SeedExportException($"The manifest of {fqrn} is malformed or names no certificate.");
        }

        await NeedAsync(fqrn, certificate, objects, cancellationToken);
        SeedTrustVerdict verdict;
        try
        {
            verdict = trust.Judge(fqrn, documents, _metadata.ReadAll);
        }
        catch (SeedRefusedException e)
        {
            throw new SeedExportException(e.Message);
        }

        List<SeedSnapshot> snapshots = [];
        if (!order.WhitelistOnly)
        {
            History? history = await HistoryAsync(fqrn, manifest, objects, cancellationToken);
            foreach (Tag snapshot in Choose(fqrn, manifest, history, order))
            {
                await AddSnapshotAsync(fqrn, manifest, snapshot, order, objects, cancellationToken);
                snapshots.Add(
                    new SeedSnapshot(snapshot.Name, snapshot.Revision, snapshot.RootCatalog.ToString(), order.Scope,
                    order.WorkingSet is null));
            }
        }

        return new SeedPlanRepository(fqrn, documents, manifest, verdict.Whitelist, verdict.IsVerified, snapshots, objects);
    }

    private async Task<History?> HistoryAsync(string fqrn, Manifest manifest, HashSet<ObjectKey> objects,
        CancellationToken cancellationToken)
    {
        if (manifest.History is not ObjectKey key)
        {
            return null;
        }

        await NeedAsync(fqrn, key, objects, cancellationToken);
        return (await _metadata.ReadHistoryAsync(key, cancellationToken)).TryGet(out History? history, out string? problem)
            ? history : throw new SeedExportException($"The history of {fqrn}: {problem}");
    }

    /// <summary>The snapshots asked for; the trunk is a tag without a name.</summary>
    private static List<Tag> Choose(string fqrn, Manifest manifest, History? history, SeedOrder order)
    {
        var trunk = new Tag("", manifest.RootCatalog, manifest.Revision, default);
        string known = history is null
            ? "It has no tags."
            : $"Its tags: {string.Join(", ", history.Tags.Select(tag => tag.Name).Order(StringComparer.Ordinal).Take(50))}.";
        if (order.Revision is { } revision)
        {
            return revision == manifest.Revision ? [trunk]
                : history?.Tags.OrderBy(tag => tag.Name, StringComparer.Ordinal)
                .FirstOrDefault(tag => tag.Revision == revision) is { } named ? [named]
                : throw new SeedExportException(
                    $"Revision {revision} of {fqrn} cannot be carried: the only signed manifest is the current one (revision "
                    + $"{manifest.Revision}); older revisions are reached by tag, and no tag has this one. {known}");
        }

        IReadOnlyList<string> names = order.Tags.Count > 0 || order.Trunk || order.WorkingSet is null
            ? order.Tags
            : order.WorkingSet(fqrn).Snapshots;
        List<Tag> chosen =
            [.. names.Distinct()
            .Select(name => name == WorkingSet.Trunk ? trunk : history?.Find(name)
            ?? throw new SeedExportException($"{fqrn} has no tag '{name}'. {known}"))];
        return chosen.Count == 0 || order.Trunk ? [trunk, .. chosen] : chosen;
    }

    private async Task AddSnapshotAsync(
        string fqrn, Manifest manifest, Tag snapshot, SeedOrder order, HashSet<ObjectKey> objects, CancellationToken cancellationToken)
    {
        var tree = new CatalogTree(snapshot.RootCatalog, async (key, cancel) =>
        {
            await NeedAsync(fqrn, key, objects, cancel);
            await using Stream wire = _metadata.Open(key)
                ?? throw new SeedExportException($"Catalog {key} of {fqrn} left the store again: its quota is too small.");
            return await Catalog.OpenAsync(wire, CatalogLimits.Default, cancel);
        });
        string? problem;
        if (order.WorkingSet is { } workingSet)
        {
            WorkingSet set = workingSet(fqrn);
            (await ResolvedSet.ResolveAsync(set, tree, manifest, cancellationToken)).TryGet(out ResolvedSet? resolved, out problem);
            _unmatched.Add(set, resolved);
            objects.UnionWith(resolved?.Objects.Select(found => found.Key) ?? []);
        }
        else
        {
            problem = await tree.WalkAsync((catalog, _) => AddAll(catalog, order, objects), cancellationToken);
        }

        if (problem is not null)
        {
            throw new SeedExportException($"{fqrn}: {problem}");
        }
    }

    private string? AddAll(Catalog catalog, SeedOrder order, HashSet<ObjectKey> objects)
    {
        List<ObjectKey> found = [];
        string? inner = null;
        return catalog.Walk(entry =>
        {
            found.Clear();
            inner ??= catalog.ReadObjects(entry, found);
            bool isMissing = false;
            foreach (ObjectKey key in found)
            {
                isMissing |= objects.Add(key) && !order.Since.Contains(key) && !store.Contains(key);
            }

            _missingBytes += isMissing ? entry.SizeBytes : 0;
        }) ?? inner;
    }

    private async Task NeedAsync(string fqrn, ObjectKey key, HashSet<ObjectKey> objects, CancellationToken cancellationToken)
    {
        await getter.FetchAsync(fqrn, key, cancellationToken);
        objects.Add(key);
    }

    /// <summary>The key file of this site that signed the whitelist; null: none did.</summary>
    private byte[]? FindMasterKey(string fqrn, byte[] whitelist)
    {
        string keysDirectory = trustOptions.KeysDirectory;
        string domain = fqrn[(fqrn.IndexOf('.', StringComparison.Ordinal) + 1)..];
        string[] files =
        [
            Path.Combine(keysDirectory, fqrn + ".pub"),
            Path.Combine(keysDirectory, domain + ".pub"),
            .. Directory.Exists(Path.Combine(keysDirectory, domain))
                ? Directory.EnumerateFiles(Path.Combine(keysDirectory, domain), "*.pub").Order(StringComparer.Ordinal).ToArray()
                : [],
        ];
        foreach (string file in files.Where(File.Exists))
        {
            byte[] pem = File.ReadAllBytes(file);
            if (MasterKeys.Of(Fqrn.Parse(fqrn), Encoding.Latin1.GetString(pem)).TryGet(out MasterKeys? keys, out _)
                && new RepositoryTrust(keys).JudgeWhitelist(Fqrn.Parse(fqrn), whitelist, now: null).Outcome == TrustOutcome.Accepted)
            {
                return pem;
            }
        }

        return null;
    }
}

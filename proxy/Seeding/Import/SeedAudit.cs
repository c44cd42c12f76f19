using Breakwater.CacheStore;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Seeding.Import;

/// <summary>
/// Compares what an index promises of a repository with what is there: revisions, tags, and that what is called whole is whole.
/// </summary>
internal sealed class SeedAudit(ISeedMetadata metadata)
{
    /// <summary>Catalogs below which all is there: snapshots share most of theirs, and a hundred thousand tags may name one.</summary>
    private readonly HashSet<ObjectKey> _whole = [];

    /// <summary>Checks a repository of an index.</summary>
    /// <param name="repository">What the index says.</param>
    /// <param name="manifest">The manifest that is carried, verified.</param>
    /// <param name="whitelist">The whitelist that is carried, verified.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="SeedRefusedException">The index says what is not so; the message names the field.</exception>
    public async Task CheckAsync(SeedRepository repository, Manifest manifest, Whitelist whitelist, CancellationToken cancellationToken)
    {
        string field = $"{SeedPath.Index}, field repositories[{repository.Fqrn}]";
        Require(repository.Revision == manifest.Revision, field + ".revision",
            $"is {repository.Revision}, the manifest says {manifest.Revision}");
        Require(repository.WhitelistExpires == whitelist.ExpiresAt, field + ".whitelistExpires",
            $"is {repository.WhitelistExpires:u}, the whitelist says {whitelist.ExpiresAt:u}");
        History? history = null;
        foreach (SeedSnapshot snapshot in repository.Snapshots)
        {
            string at = $"{field}.snapshots[{(snapshot.Tag.Length == 0 ? "trunk" : snapshot.Tag)}]";
            if (snapshot.Tag.Length > 0 && manifest.History is ObjectKey inherited && metadata.IsElsewhere(inherited))
            {
                continue;
            }

            if (snapshot.Tag.Length > 0)
            {
                history ??= await HistoryAsync(manifest, at, cancellationToken);
            }

            (ObjectKey root, ulong revision) = snapshot.Tag.Length == 0 ? (manifest.RootCatalog, manifest.Revision)
                : history!.Find(snapshot.Tag) is { } tag ? (tag.RootCatalog, tag.Revision)
                : throw new SeedRefusedException(at, -1, "is a tag that the history does not have");
            Require(snapshot.RootCatalog == root.ToString() && snapshot.Revision == revision, at,
                $"is not the snapshot that is signed (revision {revision}, {root})");
            string? problem = snapshot.IsWhole ? await FindMissingAsync(root, cancellationToken) : metadata.Has(root)
                ? null
                : $"its root catalog {root} is missing";
            Require(problem is null, at, problem!);
        }
    }

    /// <summary>The snapshots of a tree of which every object is there: the trunk and tags.</summary>
    public async Task<IReadOnlyList<SeedSnapshot>> DiscoverAsync(Manifest manifest, CancellationToken cancellationToken)
    {
        List<SeedSnapshot> found = [];
        IEnumerable<Tag> tags = [];
        if (manifest.History is ObjectKey key
            && (await metadata.ReadHistoryAsync(key, cancellationToken)).TryGet(out History? history, out _))
        {
            tags = history.Tags.OrderBy(tag => tag.Name, StringComparer.Ordinal);
        }

        Dictionary<ObjectKey, bool> isWhole = [];
        foreach (Tag snapshot in tags.Prepend(new Tag("", manifest.RootCatalog, manifest.Revision, default)))
        {
            if (!isWhole.TryGetValue(snapshot.RootCatalog, out bool whole))
            {
                isWhole[snapshot.RootCatalog] = whole = await FindMissingAsync(snapshot.RootCatalog, cancellationToken) is null;
            }

            if (whole)
            {
                found.Add(new SeedSnapshot(snapshot.Name, snapshot.Revision, snapshot.RootCatalog.ToString(), "all", IsWhole: true));
            }
        }

        return found;
    }

    private static void Require(bool holds, string field, string what)
    {
        if (!holds)
        {
            throw new SeedRefusedException(field, -1, what);
        }
    }

    private async Task<History> HistoryAsync(Manifest manifest, string field, CancellationToken cancellationToken)
    {
        if (manifest.History is not ObjectKey key)
        {
            throw new SeedRefusedException(field, -1, "is a tag, but the repository has no history");
        }

        return (await metadata.ReadHistoryAsync(key, cancellationToken)).TryGet(out History? history, out string? problem)
            ? history
            : throw new SeedRefusedException(field, -1, problem);
    }

    /// <summary>The first object of a snapshot that is not there, as a clause; null: all are.</summary>
    private async Task<string?> FindMissingAsync(ObjectKey root, CancellationToken cancellationToken)
    {
        List<ObjectKey> objects = [];
        if (metadata.IsElsewhere(root) || _whole.Contains(root))
        {
            return null;
        }

        List<ObjectKey> walked = [];
        string? found = await metadata.TreeOf(root).DescendAsync(
            (catalog, at) =>
            {
                walked.Add(at);
                string? problem = null;
                string? missing = null;
                problem = catalog.Walk(entry =>
                {
                    objects.Clear();
                    problem ??= catalog.ReadObjects(entry, objects);
                    foreach (ObjectKey key in objects)
                    {
                        missing ??= metadata.Has(key) ? null : $"object {key} of {entry.Path} is missing";
                    }
                }) ?? problem;
                return (problem ?? missing,
                    [.. catalog.Nested.Where(nested => !metadata.IsElsewhere(nested.Catalog) && !_whole.Contains(nested.Catalog))]);
            },
            cancellationToken);
        if (found is null)
        {
            _whole.UnionWith(walked);
        }

        return found;
    }
}

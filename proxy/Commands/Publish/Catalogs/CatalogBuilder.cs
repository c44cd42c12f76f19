using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Commands.Publish.Tree;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;

namespace Breakwater.Proxy.Commands.Publish.Catalogs;

/// <summary>
/// Writes the catalogs of a tree whose contents are stored, from the innermost outwards; those whose rows did not change are used again.
/// </summary>
/// <param name="objects">Where they are stored.</param>
/// <param name="before">The catalog of the last revision at a directory; null: none.</param>
internal sealed class CatalogBuilder(ObjectFolder objects, Func<PathKey, CatalogRecord?> before)
{
    private readonly Dictionary<PathKey, CatalogRecord> _built = [];

    /// <summary>All catalogs of the tree, by the key of the directory at which they begin.</summary>
    public IReadOnlyDictionary<PathKey, CatalogRecord> Built => _built;

    /// <summary>Builds the catalog that begins at a directory, and all below it.</summary>
    /// <param name="root">The directory.</param>
    /// <param name="head">What new catalogs say of themselves; the prefix is put in here.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public CatalogRecord Build(TreeNode root, CatalogHead head, CancellationToken cancellationToken)
    {
        List<(TreeNode Node, CatalogRecord Catalog)> nested =
            [.. CatalogRows.NestedIn(root).Select(node => (node, Build(node, head with { Previous = null }, cancellationToken)))];
        cancellationToken.ThrowIfCancellationRequested();
        byte[] fingerprint = FingerprintOf(root, nested, head);
        if (before(root.Key) is { } known && known.Fingerprint.AsSpan().SequenceEqual(fingerprint) && objects.Contains(known.Catalog))
        {
            return _built[root.Key] = known;
        }

        string file = objects.NewTemporary();
        CatalogCounters self = default;
        CatalogCounters subtree =
            nested.Aggregate(default(CatalogCounters), (sum, child) => sum + child.Catalog.Self + child.Catalog.Subtree);
        using (var writer = new CatalogWriter(file, head with { Prefix = root.Path() }))
        {
            foreach ((CatalogRow row, FileContent? content) in CatalogRows.Of(root))
            {
                writer.Add(row);
                WriteChunks(writer, row.Key, content);
                self += CatalogCounters.Of(row, content?.Chunks.Length ?? 0);
            }

            foreach ((TreeNode node, CatalogRecord catalog) in nested)
            {
                writer.AddNested(node.Path(), catalog.Catalog, catalog.InflatedBytes);
            }

            writer.Complete(self, subtree);
        }

        long length = new FileInfo(file).Length;
        ObjectKey key = objects.PutFile(file, 'C');
        bool isAutomatic = root.Parent is not null && !CatalogPlan.HasMarker(root);
        return _built[root.Key] = new CatalogRecord(key, length, fingerprint, isAutomatic, self, subtree);
    }

    private static void WriteChunks(CatalogWriter writer, PathKey file, FileContent? content)
    {
        long offset = 0;
        foreach (FileChunk chunk in content?.Chunks ?? [])
        {
            writer.AddChunk(file, offset, chunk.SizeBytes, chunk.Digest);
            offset += chunk.SizeBytes;
        }
    }

    private static byte[] FingerprintOf(TreeNode root, List<(TreeNode Node, CatalogRecord Catalog)> nested, CatalogHead head)
    {
        using var fingerprint = new Fingerprint();
        fingerprint.Add(root.Parent is null ? (long)head.Ttl.TotalSeconds : 0);
        foreach ((CatalogRow row, FileContent? content) in CatalogRows.Of(root))
        {
            fingerprint.Add(row, content);
        }

        foreach ((TreeNode node, CatalogRecord catalog) in nested)
        {
            fingerprint.Add(node.Path(), catalog.Catalog, catalog.InflatedBytes);
        }

        return fingerprint.Finish();
    }
}

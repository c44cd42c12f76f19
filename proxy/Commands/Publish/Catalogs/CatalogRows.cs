using Breakwater.Proxy.Commands.Publish.Tree;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;

namespace Breakwater.Proxy.Commands.Publish.Catalogs;

/// <summary>
/// The rows of one catalog, made of the tree: its root, then directory by directory. Pure; the same tree gives the same rows.
/// </summary>
internal static class CatalogRows
{
    private const long DirectoryBytes = 4096;
    private const uint MarkerMode = 0x81a4; // a regular file, rw-r--r--

    /// <summary>An empty file's object, which every repository with such a file has.</summary>
    public static readonly FileContent Empty = new(Convert.FromHexString("e8ec3d88b62ebf526e4e5a4ff6162a3aa48a6b78"));

    /// <summary>All rows of the catalog that begins at a directory, with the content of those that are files.</summary>
    public static IEnumerable<(CatalogRow Row, FileContent? Content)> Of(TreeNode root)
    {
        yield return (ToRow(root, CatalogFlags.Directory | (root.Parent is null ? 0 : CatalogFlags.NestedRoot), LinksOf(root)), null);
        uint groups = 0;
        var open = new Stack<TreeNode>([root]);
        while (open.TryPop(out TreeNode? directory))
        {
            Dictionary<(ulong, ulong), (uint Group, uint Count)>? linked = GroupLinks(directory, ref groups);
            foreach (TreeNode child in directory.Children!)
            {
                long links = child.Children is not null ? LinksOf(child)
                    : linked is not null && linked.TryGetValue(InodeOf(child), out (uint Group, uint Count) group) && group.Count > 1
                        ? CatalogRow.LinksOf(group.Group, group.Count) : 1;
                yield return (ToRow(child, FlagsOf(child), links), child.Content);
            }

            if (directory == root && root.Parent is not null && !CatalogPlan.HasMarker(root))
            {
                yield return (MarkerOf(root), Empty);
            }

            // Backwards onto the stack, so that they are taken in their order.
            for (int i = directory.Children.Length - 1; i >= 0; i--)
            {
                if (directory.Children[i] is { Children: not null, IsNested: false } child)
                {
                    open.Push(child);
                }
            }
        }
    }

    /// <summary>The directories in a catalog at which others begin.</summary>
    public static IEnumerable<TreeNode> NestedIn(TreeNode root)
    {
        var open = new Stack<TreeNode>([root]);
        while (open.TryPop(out TreeNode? directory))
        {
            foreach (TreeNode child in directory.Children!)
            {
                if (child.IsNested)
                {
                    yield return child;
                }
                else if (child.Children is not null)
                {
                    open.Push(child);
                }
            }
        }
    }

    /// <summary>Names of one file in one directory: across directories clients and the usual check know no hard links.</summary>
    private static Dictionary<(ulong, ulong), (uint Group, uint Count)>? GroupLinks(TreeNode directory, ref uint groups)
    {
        Dictionary<(ulong, ulong), (uint Group, uint Count)>? linked = null;
        foreach (TreeNode child in directory.Children!)
        {
            if (child.Children is not null || child.Stat.Links < 2)
            {
                continue;
            }

            linked ??= [];
            (ulong, ulong) inode = InodeOf(child);
            (uint group, uint count) = linked.GetValueOrDefault(inode);
            linked[inode] = count == 1 ? (++groups, 2) : (group, count + 1);
        }

        return linked;
    }

    private static (ulong, ulong) InodeOf(TreeNode node) => (node.Stat.FileSystem, node.Stat.Inode);

    private static long LinksOf(TreeNode directory) => 2 + directory.Children!.Count(child => child.Children is not null);

    private static CatalogFlags FlagsOf(TreeNode node) => node switch
    {
        { Children: not null } => CatalogFlags.Directory | (node.IsNested ? CatalogFlags.NestedMountpoint : 0),
        { Stat.IsLink: true } => CatalogFlags.File | CatalogFlags.Link,
        { Stat.IsRegular: true } => CatalogFlags.File | (node.Content!.Chunks.Length > 0 ? CatalogFlags.Chunked : 0),
        _ => CatalogFlags.File | CatalogFlags.Special,
    };

    private static CatalogRow ToRow(TreeNode node, CatalogFlags flags, long links) => new()
    {
        Key = node.Key,
        Parent = node.Parent?.Key ?? default,
        Name = node.Name,
        Flags = flags,
        SizeBytes = node switch
        {
            { Children: not null } => DirectoryBytes,
            { Stat.IsLink: true } => node.LinkTarget.Length,
            { Stat.IsRegular: true } => node.Stat.SizeBytes,
            { Stat.IsDevice: true } => (long)node.Stat.DeviceNumber,
            _ => 0,
        },
        Mode = node.Stat.Mode,
        ModifiedAt = node.Stat.ModifiedAt.Seconds,
        Uid = node.Stat.Uid,
        Gid = node.Stat.Gid,
        HardLinks = links,
        Digest = node.Content?.Digest,
        LinkTarget = node.LinkTarget,
        Xattrs = node.Xattrs,
    };

    /// <summary>A nested catalog without its marker is refused by the usual check.</summary>
    private static CatalogRow MarkerOf(TreeNode directory) => new()
    {
        Key = PathKey.Of([.. directory.Path(), (byte)'/', .. CatalogPlan.Marker]),
        Parent = directory.Key,
        Name = CatalogPlan.Marker.ToArray(),
        Flags = CatalogFlags.File,
        SizeBytes = 0,
        Mode = MarkerMode,
        ModifiedAt = directory.Stat.ModifiedAt.Seconds,
        Uid = directory.Stat.Uid,
        Gid = directory.Stat.Gid,
        HardLinks = 1,
        Digest = Empty.Digest,
    };
}

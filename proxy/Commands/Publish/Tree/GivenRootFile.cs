using System.Text;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Publish.Tree;

/// <summary>A file of this machine that is published in the root of a repository, whatever the tree has of that name.</summary>
internal static class GivenRootFile
{
    /// <summary>Puts it into the tree.</summary>
    /// <param name="root">The tree.</param>
    /// <param name="name">Its name in the repository, ASCII.</param>
    /// <param name="file">Where it is on this machine.</param>
    /// <exception cref="TreeException">It is not there.</exception>
    public static void AddTo(TreeNode root, ReadOnlySpan<byte> name, string file)
    {
        byte[] path = [.. Encoding.UTF8.GetBytes(Path.GetFullPath(file)), 0];
        if (!TreeSystem.TryStat(path, out FileStat stat) || !stat.IsRegular)
        {
            throw new TreeException($"{file} is not a file.");
        }

        const uint Mode = 0x81a4; // a regular file, rw-r--r--
        byte[] bytes = name.ToArray();
        var node = new TreeNode
        {
            Name = bytes,
            Parent = root,
            Key = PathKey.Of("/" + Encoding.ASCII.GetString(name)),
            Stat = stat with { Mode = Mode, Uid = 0, Gid = 0, Links = 1 },
            Source = path,
        };
        root.Children =
            [.. root.Children!.Where(child => !child.Name.AsSpan().SequenceEqual(bytes)).Append(node)
            .OrderBy(child => child.Name, ByBytes)];
    }

    private static Comparer<byte[]> ByBytes { get; } = Comparer<byte[]>.Create(static (a, b) => a.AsSpan().SequenceCompareTo(b));
}

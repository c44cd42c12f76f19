using System.Text;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Publish.Tree;

/// <summary>
/// The list of files that a booted machine keeps, to recover when the network is gone: <c>/.ucernvm_pinfiles</c>, a path a line.
/// </summary>
internal static class BootFileList
{
    private const int MaxNamed = 5;

    /// <summary>Name in the root of the repository.</summary>
    public static ReadOnlySpan<byte> Name => ".ucernvm_pinfiles"u8;

    /// <summary>Puts a list into the tree, in place of one that is there.</summary>
    /// <param name="root">The tree.</param>
    /// <param name="file">The list on this machine.</param>
    /// <param name="notes">Gets a sentence when paths of it are not in the tree.</param>
    /// <exception cref="TreeException">It is not there.</exception>
    public static void AddTo(TreeNode root, string file, List<string> notes)
    {
        byte[] path = [.. Encoding.UTF8.GetBytes(Path.GetFullPath(file)), 0];
        if (!TreeSystem.TryStat(path, out FileStat stat) || !stat.IsRegular)
        {
            throw new TreeException($"{file} is not a file.");
        }

        const uint Mode = 0x81a4; // a regular file, rw-r--r--
        var node = new TreeNode
        {
            Name = Name.ToArray(),
            Parent = root,
            Key = PathKey.Of("/" + Encoding.ASCII.GetString(Name)),
            Stat = stat with { Mode = Mode, Uid = 0, Gid = 0, Links = 1 },
            Source = path,
        };
        root.Children =
            [.. root.Children!.Where(child => !child.Name.AsSpan().SequenceEqual(Name)).Append(node).OrderBy(child => child.Name, ByBytes)];
        string[] missing = [.. File.ReadLines(file).Where(line => line.StartsWith('/') && !IsThere(root, line))];
        if (missing.Length > 0)
        {
            string more = missing.Length > MaxNamed ? ", …" : "";
            notes.Add($"{missing.Length} paths of {file} are not in the tree: {string.Join(", ", missing.Take(MaxNamed))}{more}");
        }
    }

    private static Comparer<byte[]> ByBytes { get; } = Comparer<byte[]>.Create(static (a, b) => a.AsSpan().SequenceCompareTo(b));

    private static bool IsThere(TreeNode root, string path)
    {
        TreeNode? at = root;
        foreach (string name in path.TrimEnd().Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            at = at?.Child(Encoding.UTF8.GetBytes(name));
        }

        return at is not null;
    }
}

using System.Text;

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
        GivenRootFile.AddTo(root, Name, file);
        string[] missing = [.. File.ReadLines(file).Where(line => line.StartsWith('/') && !IsThere(root, line))];
        if (missing.Length > 0)
        {
            string more = missing.Length > MaxNamed ? ", …" : "";
            notes.Add($"{missing.Length} paths of {file} are not in the tree: {string.Join(", ", missing.Take(MaxNamed))}{more}");
        }
    }

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

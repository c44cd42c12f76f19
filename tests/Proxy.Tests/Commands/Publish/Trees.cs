using System.Text;
using Breakwater.Proxy.Commands.Publish.Tree;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Commands.Publish;

/// <summary>Trees as the publisher has them, without a disk.</summary>
internal static class Trees
{
    /// <summary>A file that is not known to be linked.</summary>
    public static readonly FileStat Stat = new()
    {
        Mode = 0x81a4,
        Links = 1,
        Uid = 1,
        Gid = 2,
        Inode = 3,
        SizeBytes = 4,
        ModifiedAt = new FileTime(5, 6),
        ChangedAt = new FileTime(7, 8),
        DeviceNumber = 0,
        FileSystem = 9,
    };

    /// <summary>A root without anything in it.</summary>
    public static TreeNode Root() => new()
    {
        Name = [],
        Parent = null,
        Key = PathKey.Of(""),
        Stat = Stat with { Mode = 0x41ed },
        Children = [],
    };

    /// <summary>A file, put into a directory.</summary>
    public static TreeNode File(TreeNode directory, string name, FileStat? stat = null) => Add(directory, name, stat ?? Stat, null);

    /// <summary>A directory with so many files, put into another.</summary>
    public static TreeNode Directory(TreeNode directory, string name, int files = 0)
    {
        TreeNode made = Add(directory, name, Stat with { Mode = 0x41ed }, []);
        made.Children = [.. Enumerable.Range(0, files).Select(i => New(made, $"f{i}", Stat, null))];
        return made;
    }

    private static TreeNode Add(TreeNode directory, string name, FileStat stat, TreeNode[]? children)
    {
        TreeNode made = New(directory, name, stat, children);
        directory.Children = [.. directory.Children!, made];
        return made;
    }

    private static TreeNode New(TreeNode directory, string name, FileStat stat, TreeNode[]? children) => new()
    {
        Name = Encoding.UTF8.GetBytes(name),
        Parent = directory,
        Key = PathKey.Of([.. directory.Path(), (byte)'/', .. Encoding.UTF8.GetBytes(name)]),
        Stat = stat,
        Children = children,
    };
}

using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Publish.Tree;

/// <summary>A file of the tree that is published; of a directory, with everything in it.</summary>
internal sealed class TreeNode
{
    /// <summary>Its name; empty for the tree's root.</summary>
    public required byte[] Name { get; init; }

    /// <summary>The directory that it is in; null for the root.</summary>
    public required TreeNode? Parent { get; init; }

    /// <summary>Key of its path in catalogs.</summary>
    public required PathKey Key { get; init; }

    /// <summary>What the system says of it.</summary>
    public required FileStat Stat { get; set; }

    /// <summary>Target of a symbolic link; empty for everything else.</summary>
    public byte[] LinkTarget { get; init; } = [];

    /// <summary>Extended attributes as catalogs have them; empty: none.</summary>
    public byte[] Xattrs { get; init; } = [];

    /// <summary>What is in a directory, by name in the order of bytes; null for everything else.</summary>
    public TreeNode[]? Children { get; set; }

    /// <summary>Where its bytes are, once that is known; regular files only.</summary>
    public FileContent? Content { get; set; }

    /// <summary>Where its bytes are on this machine, with a zero byte at the end, when that is not its place in the tree.</summary>
    public byte[]? Source { get; init; }

    /// <summary>Does a nested catalog begin here?</summary>
    public bool IsNested { get; set; }

    /// <summary>The absolute path in the repository, <c>""</c> for the root.</summary>
    public byte[] Path()
    {
        int length = 0;
        for (TreeNode at = this; at.Parent is not null; at = at.Parent)
        {
            length += at.Name.Length + 1;
        }

        byte[] path = new byte[length];
        for (TreeNode at = this; at.Parent is not null; at = at.Parent)
        {
            length -= at.Name.Length;
            at.Name.CopyTo(path, length);
            path[--length] = (byte)'/';
        }

        return path;
    }

    /// <summary>The child of that name; null: there is none.</summary>
    public TreeNode? Child(ReadOnlySpan<byte> name)
    {
        foreach (TreeNode child in Children ?? [])
        {
            if (child.Name.AsSpan().SequenceEqual(name))
            {
                return child;
            }
        }

        return null;
    }
}

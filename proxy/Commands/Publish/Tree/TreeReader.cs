using System.Text;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;

namespace Breakwater.Proxy.Commands.Publish.Tree;

/// <summary>Reads a directory with everything below it, but no file's content. Memory: some 300 bytes a file.</summary>
/// <param name="directory">The directory that becomes the repository's root.</param>
/// <param name="crossesMounts">Go into file systems that are mounted in the tree; else their mount points are published empty.</param>
internal sealed class TreeReader(string directory, bool crossesMounts)
{
    /// <summary>As catalogs have them: readers refuse longer ones.</summary>
    private const int MaxPathBytes = 4096;

    private const int MaxNotes = 20;
    private readonly byte[] _root =
        Encoding.UTF8.GetBytes(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(directory)));
    private readonly List<string> _notes = [];
    private int _droppedXattrs;

    /// <summary>What is not published as it is, a sentence each.</summary>
    public IReadOnlyList<string> Notes => _droppedXattrs == 0
        ? _notes
        : [.. _notes, $"{_droppedXattrs} extended attributes are left out: catalogs hold names and values of up to 255 bytes, "
            + "and overlayfs keeps its own."];

    /// <summary>Reads the tree.</summary>
    /// <exception cref="TreeException">A part of it cannot be read.</exception>
    public TreeNode Read(CancellationToken cancellationToken)
    {
        byte[] path = Terminated(_root);
        if (!TreeSystem.TryStat(path, out FileStat stat) || !stat.IsDirectory)
        {
            throw new TreeException($"{directory} is not a directory.");
        }

        var root = new TreeNode { Name = [], Parent = null, Key = PathKey.Of(""), Stat = stat, Xattrs = XattrsOf(path) };
        ulong fileSystem = stat.FileSystem;
        var parallel = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = Environment.ProcessorCount };
        for (List<TreeNode> level = [root]; level.Count > 0; level = [.. level.SelectMany(DirectoriesIn)])
        {
            try
            {
                Parallel.ForEach(level, parallel, directory => directory.Children = ReadDirectory(directory, fileSystem));
            }
            catch (AggregateException e)
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
            }
        }

        return root;
    }

    /// <summary>The path of a file on this machine, with a zero byte at its end.</summary>
    public byte[] PathOf(TreeNode node) => node.Source ?? Terminated([.. _root, .. node.Path()]);

    private static IEnumerable<TreeNode> DirectoriesIn(TreeNode directory) =>
        directory.Children!.Where(child => child.Children is not null);

    private TreeNode[] ReadDirectory(TreeNode directory, ulong fileSystem)
    {
        byte[] path = directory.Path();
        if (directory.Stat.FileSystem != fileSystem && !crossesMounts)
        {
            Note($"{PathText.Of(path)} is a mount point: published empty. Give --cross-mounts to publish what is mounted there.");
            return [];
        }

        List<(byte[] Name, FileStat Stat)> entries = TreeSystem.List(Terminated([.. _root, .. path]));
        entries.Sort(static (a, b) => a.Name.AsSpan().SequenceCompareTo(b.Name));
        var children = new List<TreeNode>(entries.Count);
        byte[] key = new byte[path.Length + 1 + 255];
        path.CopyTo(key, 0);
        key[path.Length] = (byte)'/';
        byte[] full = new byte[_root.Length + key.Length + 1];
        _root.CopyTo(full, 0);
        path.CopyTo(full, _root.Length);
        full[_root.Length + path.Length] = (byte)'/';
        foreach ((byte[] name, FileStat stat) in entries)
        {
            int length = path.Length + 1 + name.Length;
            if (length > MaxPathBytes)
            {
                throw new TreeException(
                    $"The path {PathText.Of([.. path, (byte)'/', .. name])} has more than {MaxPathBytes} bytes: "
                        + "catalogs hold no longer ones.");
            }

            name.CopyTo(key, path.Length + 1);
            name.CopyTo(full, _root.Length + path.Length + 1);
            full[_root.Length + length] = 0;
            if (ToNode(directory, name, stat, PathKey.Of(key.AsSpan(0, length)), full.AsSpan(0, _root.Length + length + 1)) is { } node)
            {
                children.Add(node);
            }
        }

        return [.. children];
    }

    private TreeNode? ToNode(TreeNode parent, byte[] name, in FileStat stat, PathKey key, ReadOnlySpan<byte> path)
    {
        byte[] target = [];
        if (stat.IsLink)
        {
            if (TreeSystem.ReadLink(path) is not { } read)
            {
                return null;
            }

            target = read;
        }

        return new TreeNode
        {
            Name = name,
            Parent = parent,
            Key = key,
            Stat = stat,
            LinkTarget = target,
            Xattrs = XattrsOf(path),
            Children = stat.IsDirectory ? [] : null,
        };
    }

    private byte[] XattrsOf(ReadOnlySpan<byte> path)
    {
        if (TreeSystem.ReadXattrs(path) is not { } all)
        {
            return [];
        }

        List<KeyValuePair<byte[], byte[]>> kept =
        [
            .. all.Where(pair => XattrList.Fits(pair.Key, pair.Value) && !pair.Key.AsSpan().StartsWith("trusted.overlay."u8))
                .Take(XattrList.Max),
        ];
        Interlocked.Add(ref _droppedXattrs, all.Count - kept.Count);
        return XattrList.Encode(kept) ?? [];
    }

    private void Note(string note)
    {
        lock (_notes)
        {
            if (_notes.Count < MaxNotes)
            {
                _notes.Add(note);
            }
        }
    }

    private static byte[] Terminated(byte[] path) => [.. path, 0];
}

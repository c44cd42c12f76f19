using System.Buffers;
using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Repositories.Writing;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.Proxy.Commands.Publish.Tree;

/// <summary>Reads files and stores their bytes as objects. Thread-safe.</summary>
internal sealed class ContentReader(ObjectFolder objects, TreeReader tree)
{
    private const int BufferBytes = 256 << 10;
    private const int Attempts = 3;
    private long _files;
    private long _bytes;

    /// <summary>Files that were read.</summary>
    public long Files => Interlocked.Read(ref _files);

    /// <summary>Their bytes.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Stores what a file holds. <see cref="TreeNode.Content"/> is set then, and its stat is that of the bytes stored.</summary>
    /// <exception cref="TreeException">It cannot be read, or changes each time while it is read.</exception>
    public void Store(TreeNode node)
    {
        byte[] path = tree.PathOf(node);
        for (int i = 0; i < Attempts; i++)
        {
            using SafeFileHandle file = TreeSystem.Open(path)
                ?? throw new TreeException($"{PathText.Of(path)} is gone since the tree was read. Run the command again.");
            FileStat before = TreeSystem.Stat(file, path);
            if (!before.IsRegular)
            {
                throw new TreeException($"{PathText.Of(path)} is no regular file any more. Run the command again.");
            }

            FileContent content = Read(file, before.SizeBytes, out long length);
            FileStat after = TreeSystem.Stat(file, path);
            if (length == before.SizeBytes && after.SizeBytes == length && after.ModifiedAt == before.ModifiedAt)
            {
                node.Content = content;
                node.Stat = node.Source is null ? after : node.Stat with { SizeBytes = length, ModifiedAt = after.ModifiedAt };
                Interlocked.Increment(ref _files);
                Interlocked.Add(ref _bytes, length);
                return;
            }
        }

        throw new TreeException($"{PathText.Of(path)} changes while it is read: stop what writes to it, "
            + "or publish a snapshot of the tree.");
    }

    private FileContent Read(SafeFileHandle file, long size, out long length)
    {
        var cutter = new ChunkCutter();
        bool mayBeCut = size > cutter.MinBytes;
        var chunks = new List<FileChunk>();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        ObjectDraft draft = objects.Begin();
        try
        {
            length = 0;
            long chunkBytes = 0;
            int read;
            while ((read = RandomAccess.Read(file, buffer.AsSpan(0, BufferBytes), length)) > 0)
            {
                length += read;
                ReadOnlySpan<byte> rest = buffer.AsSpan(0, read);
                while (mayBeCut && cutter.TryCut(rest, out int consumed))
                {
                    draft.Write(rest[..consumed]);
                    chunks.Add(new FileChunk(chunkBytes + consumed, DigestOf(draft.Commit('P'))));
                    draft.Dispose();
                    draft = objects.Begin();
                    chunkBytes = 0;
                    rest = rest[consumed..];
                }

                draft.Write(rest);
                chunkBytes += rest.Length;
            }

            if (chunks.Count == 0)
            {
                return new FileContent(DigestOf(draft.Commit('\0')));
            }

            chunks.Add(new FileChunk(chunkBytes, DigestOf(draft.Commit('P'))));
            return new FileContent([.. chunks]);
        }
        finally
        {
            draft.Dispose();
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static byte[] DigestOf(in ObjectKey key)
    {
        byte[] digest = new byte[ObjectKey.DigestSizeBytes];
        key.CopyDigestTo(digest);
        return digest;
    }
}

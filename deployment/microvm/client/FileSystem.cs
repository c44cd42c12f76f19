using System.Buffers.Binary;
using Breakwater.Repositories.Writing;

namespace Breakwater.Mount;

/// <summary>
/// Answers the kernel's requests of FUSE 7.31 from a tree that never changes: times of validity are a day, and nothing is opened.
/// Thread-safe.
/// </summary>
internal sealed class FileSystem(Tree tree, IReadOnlyDictionary<string, string> names)
{
    /// <summary>Bytes of a request's head, and of what a request may have behind it: names, not data.</summary>
    public const int HeadBytes = 40;

    /// <summary>The longest answer: a read of 1 MiB.</summary>
    public const int MaxAnswerBytes = (1 << 20) + 4096;

    private const ulong Validity = 86400;

    // ASYNC_READ, BIG_WRITES, DO_READDIRPLUS, READDIRPLUS_AUTO, NO_OPEN_SUPPORT, PARALLEL_DIROPS, MAX_PAGES, CACHE_SYMLINKS, NO_OPENDIR
    private const uint Features = 1u | 1u << 5 | 1u << 13 | 1u << 14 | 1u << 17 | 1u << 18 | 1u << 22 | 1u << 23 | 1u << 24;

    /// <summary>Answers one request. An error number or 0; <paramref name="length"/> is then that of the answer.</summary>
    public int Answer(ReadOnlySpan<byte> request, Span<byte> to, out int length, CancellationToken cancellationToken)
    {
        length = 0;
        var opcode = (FuseOpcode)BinaryPrimitives.ReadUInt32LittleEndian(request[4..]);
        ulong id = BinaryPrimitives.ReadUInt64LittleEndian(request[16..]);
        ReadOnlySpan<byte> rest = request[HeadBytes..];
        switch (opcode)
        {
            case FuseOpcode.Init:
                length = Init(rest, to);
                return 0;
            case FuseOpcode.Forget:
                tree.Nodes.Forget(id, BinaryPrimitives.ReadUInt64LittleEndian(rest));
                return 0;
            case FuseOpcode.BatchForget:
                for (uint i = 0; i < BinaryPrimitives.ReadUInt32LittleEndian(rest); i++)
                {
                    ReadOnlySpan<byte> one = rest.Slice(8 + ((int)i * 16), 16);
                    tree.Nodes.Forget(BinaryPrimitives.ReadUInt64LittleEndian(one), BinaryPrimitives.ReadUInt64LittleEndian(one[8..]));
                }

                return 0;
            case FuseOpcode.Destroy or FuseOpcode.Flush or FuseOpcode.Release or FuseOpcode.ReleaseDirectory:
                return 0;
            case FuseOpcode.StatFs:
                length = 80;
                to[..80].Clear();
                BinaryPrimitives.WriteUInt32LittleEndian(to[40..], 4096);
                BinaryPrimitives.WriteUInt32LittleEndian(to[44..], 255);
                BinaryPrimitives.WriteUInt32LittleEndian(to[48..], 4096);
                return 0;
            case FuseOpcode.SetAttr or FuseOpcode.Symlink or FuseOpcode.MakeNode or FuseOpcode.MakeDirectory or FuseOpcode.Unlink
                or FuseOpcode.RemoveDirectory or FuseOpcode.Rename or FuseOpcode.Rename2 or FuseOpcode.Link or FuseOpcode.Write
                or FuseOpcode.SetXattr or FuseOpcode.RemoveXattr or FuseOpcode.Create:
                return Errno.ReadOnly;
        }

        return tree.Nodes.Find(id) is { } node
            ? Answer(opcode, node, rest, to, ref length, cancellationToken)
            : Errno.NoEntry;
    }

    private int Answer(
        FuseOpcode opcode, Node node, ReadOnlySpan<byte> rest, Span<byte> to, ref int length, CancellationToken cancellationToken)
    {
        switch (opcode)
        {
            case FuseOpcode.Lookup:
                (int error, Node? child) = tree.Lookup(node, rest[..rest.IndexOf((byte)0)]);
                if (error is not (0 or Errno.NoEntry))
                {
                    return error;
                }

                length = FuseEntry.EntryBytes; // node 0: the kernel remembers that there is none
                FuseEntry.Write(to, child, Validity);
                return 0;
            case FuseOpcode.GetAttr:
                length = 16 + FuseEntry.AttributeBytes;
                to[..16].Clear();
                BinaryPrimitives.WriteUInt64LittleEndian(to, Validity);
                FuseEntry.WriteAttributes(to[16..], node);
                return 0;
            case FuseOpcode.ReadLink:
                byte[] target = FuseEntry.Target(node);
                target.CopyTo(to);
                length = target.Length;
                return 0;
            case FuseOpcode.Read:
                return Read(node, rest, to, ref length, cancellationToken);
            case FuseOpcode.ReadDirectory or FuseOpcode.ReadDirectoryPlus:
                return List(node, rest, opcode == FuseOpcode.ReadDirectoryPlus, to, ref length);
            case FuseOpcode.GetXattr:
                ReadOnlySpan<byte> name = rest[8..];
                return Sized(Xattr(node, name[..name.IndexOf((byte)0)]), rest, to, ref length);
            case FuseOpcode.ListXattr:
                return Sized(
                    [.. (XattrList.Decode(node.Attributes.Xattrs) ?? []).SelectMany(x => x.Key.Append((byte)0))], rest, to, ref length);
            default:
                return Errno.NotImplemented; // OPEN and OPENDIR too: the kernel then opens without asking, and keeps its cache
        }
    }

    private static int Init(ReadOnlySpan<byte> rest, Span<byte> to)
    {
        to[..64].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(to, 7);
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]), 31));
        BinaryPrimitives.WriteUInt32LittleEndian(to[8..], BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]));
        BinaryPrimitives.WriteUInt32LittleEndian(to[12..], BinaryPrimitives.ReadUInt32LittleEndian(rest[12..]) & Features);
        BinaryPrimitives.WriteUInt16LittleEndian(to[16..], 64); // requests in the background
        BinaryPrimitives.WriteUInt16LittleEndian(to[18..], 48);
        BinaryPrimitives.WriteUInt32LittleEndian(to[20..], 4096); // longest write: there are none
        BinaryPrimitives.WriteUInt32LittleEndian(to[24..], 1_000_000_000); // the exact times have whole seconds
        BinaryPrimitives.WriteUInt16LittleEndian(to[28..], 256); // pages a request
        return 64;
    }

    private int Read(Node node, ReadOnlySpan<byte> rest, Span<byte> to, ref int length, CancellationToken cancellationToken)
    {
        long offset = (long)BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]);
        long size = Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(rest[16..]), to.Length);
        if (offset < 0 || offset >= node.Entry.SizeBytes)
        {
            return 0;
        }

        length = (int)Math.Min(size, node.Entry.SizeBytes - offset);
        return tree.Read(node, offset, to[..length], cancellationToken);
    }

    private int List(Node node, ReadOnlySpan<byte> rest, bool isPlus, Span<byte> to, ref int length)
    {
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]);
        long size = Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(rest[16..]), to.Length);
        if (tree.List(node) is not { } all)
        {
            return Errno.InputOutput;
        }

        int head = isPlus ? FuseEntry.EntryBytes : 0;
        for (int i = (int)Math.Min(offset, int.MaxValue); i < all.Count; i++)
        {
            Listed line = all[i];
            int total = head + ((24 + line.Name.Length + 7) & ~7);
            if (length + total > size)
            {
                break;
            }

            Span<byte> one = to.Slice(length, total);
            one.Clear();
            ulong id = ulong.MaxValue; // unknown, as libfuse says it
            if (isPlus)
            {
                if (tree.Refer(node, line) is not { } child)
                {
                    return Errno.InputOutput;
                }

                FuseEntry.Write(one, child, Validity);
                id = child.Id;
                one = one[head..];
            }

            BinaryPrimitives.WriteUInt64LittleEndian(one, id);
            BinaryPrimitives.WriteUInt64LittleEndian(one[8..], (ulong)(i + 1));
            BinaryPrimitives.WriteUInt32LittleEndian(one[16..], (uint)line.Name.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(one[20..], (line.Attributes.Mode >> 12) & 15);
            line.Name.CopyTo(one[24..]);
            length += total;
        }

        return 0;
    }

    private byte[]? Xattr(Node node, ReadOnlySpan<byte> name)
    {
        foreach ((byte[] known, byte[] value) in XattrList.Decode(node.Attributes.Xattrs) ?? [])
        {
            if (name.SequenceEqual(known))
            {
                return value;
            }
        }

        string text = System.Text.Encoding.UTF8.GetString(name);
        return names.TryGetValue(text, out string? own) ? System.Text.Encoding.UTF8.GetBytes(own)
            : text == "user.hash" && node.Entry.Object is { } key ? System.Text.Encoding.ASCII.GetBytes(key.ToString())
            : null;
    }

    /// <summary>Answers with a length or with a value, as the room that is given has it.</summary>
    private static int Sized(byte[]? value, ReadOnlySpan<byte> rest, Span<byte> to, ref int length)
    {
        if (value is null)
        {
            return Errno.NoData;
        }

        uint room = BinaryPrimitives.ReadUInt32LittleEndian(rest);
        if (room == 0)
        {
            to[..8].Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(to, (uint)value.Length);
            length = 8;
            return 0;
        }

        if (value.Length > room)
        {
            return Errno.Range;
        }

        value.CopyTo(to);
        length = value.Length;
        return 0;
    }
}

using System.Buffers.Binary;

namespace Breakwater.Mount;

/// <summary>Writes <c>fuse_entry_out</c> and <c>fuse_attr</c> of <c>linux/fuse.h</c>.</summary>
internal static class FuseEntry
{
    public const int EntryBytes = 128;
    public const int AttributeBytes = 88;

    /// <summary>An answer to a look-up; null: the name is not there.</summary>
    public static void Write(Span<byte> to, Node? node, ulong validity)
    {
        to[..EntryBytes].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(to, node?.Id ?? 0);
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], validity);
        BinaryPrimitives.WriteUInt64LittleEndian(to[24..], validity);
        if (node is not null)
        {
            WriteAttributes(to[40..], node);
        }
    }

    /// <summary>What stat shows.</summary>
    public static void WriteAttributes(Span<byte> to, Node node)
    {
        to[..AttributeBytes].Clear();
        bool isDevice = (node.Attributes.Mode & 0xf000) is 0x2000 or 0x6000;
        long size = node.Entry.IsLink ? Target(node).Length
            : node.Entry.IsDirectory ? 4096
            : node.Entry.HasObjects || (node.Attributes.Mode & 0xf000) == 0x8000 ? node.Entry.SizeBytes
            : 0;
        BinaryPrimitives.WriteUInt64LittleEndian(to, node.Id);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], size);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], (size + 511) / 512);
        for (int i = 24; i <= 40; i += 8)
        {
            BinaryPrimitives.WriteInt64LittleEndian(to[i..], node.Attributes.ModifiedAt);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(to[60..], node.Attributes.Mode);
        BinaryPrimitives.WriteUInt32LittleEndian(to[64..], Math.Max(1, node.Attributes.LinkCount));
        BinaryPrimitives.WriteUInt32LittleEndian(to[68..], node.Attributes.Uid);
        BinaryPrimitives.WriteUInt32LittleEndian(to[72..], node.Attributes.Gid);
        BinaryPrimitives.WriteUInt32LittleEndian(to[76..], isDevice ? (uint)node.Entry.SizeBytes : 0); // the format keeps it there
        BinaryPrimitives.WriteUInt32LittleEndian(to[80..], 4096);
    }

    /// <summary>A link's target with its variables replaced.</summary>
    public static byte[] Target(Node node) => LinkTarget.Expand(node.Attributes.LinkTarget, Environment.GetEnvironmentVariable);
}

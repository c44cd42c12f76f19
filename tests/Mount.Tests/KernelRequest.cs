using System.Buffers.Binary;
using System.Text;

namespace Breakwater.Mount.Tests;

/// <summary>Requests as the kernel writes them (<c>linux/fuse.h</c>), and what it reads off the answers.</summary>
internal static class KernelRequest
{
    /// <summary>A request's head and what follows it.</summary>
    public static byte[] Of(FuseOpcode opcode, ulong node, params byte[] rest)
    {
        byte[] request = new byte[FileSystem.HeadBytes + rest.Length];
        BinaryPrimitives.WriteInt32LittleEndian(request, request.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(request.AsSpan(4), (uint)opcode);
        BinaryPrimitives.WriteUInt64LittleEndian(request.AsSpan(8), 77);
        BinaryPrimitives.WriteUInt64LittleEndian(request.AsSpan(16), node);
        rest.CopyTo(request, FileSystem.HeadBytes);
        return request;
    }

    /// <summary>A read of a file or of a directory.</summary>
    public static byte[] Read(FuseOpcode opcode, ulong node, ulong offset, uint size)
    {
        byte[] rest = new byte[40];
        BinaryPrimitives.WriteUInt64LittleEndian(rest.AsSpan(8), offset);
        BinaryPrimitives.WriteUInt32LittleEndian(rest.AsSpan(16), size);
        return Of(opcode, node, rest);
    }

    /// <summary>Asks for an extended attribute with room for so many bytes.</summary>
    public static byte[] Xattr(ulong node, string name, uint room)
    {
        byte[] rest = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(rest, room);
        return Of(FuseOpcode.GetXattr, node, [.. rest, .. Encoding.UTF8.GetBytes(name), 0]);
    }

    /// <summary>Gives references back.</summary>
    public static byte[] Forget(ulong node, ulong references) => Of(FuseOpcode.Forget, node, BitConverter.GetBytes(references));

    /// <summary>Gives references of several nodes back.</summary>
    public static byte[] Forget(params (ulong Node, ulong References)[] all) => Of(
        FuseOpcode.BatchForget,
        0,
        [
            .. BitConverter.GetBytes((long)all.Length),
            .. all.SelectMany(one => (byte[])[.. BitConverter.GetBytes(one.Node), .. BitConverter.GetBytes(one.References)]),
        ]);
}

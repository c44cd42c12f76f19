using System.IO.Compression;

namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>Bytes as they are on the wire.</summary>
internal static class Packed
{
    public static byte[] Zlib(byte[] bytes)
    {
        using var wire = new MemoryStream();
        using (var zlib = new ZLibStream(wire, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(bytes);
        }

        return wire.ToArray();
    }
}

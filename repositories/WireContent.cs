using System.IO.Compression;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Breakwater.Repositories;

/// <summary>What an object holds, inflated: repositories write zlib streams, newer ones zstd frames; the first bytes tell.</summary>
public static class WireContent
{
    /// <summary>RFC 8878, 3.1.1.</summary>
    private static ReadOnlySpan<byte> ZstdMagic => [0x28, 0xb5, 0x2f, 0xfd];

    /// <summary>
    /// Memory that a zstd frame may ask for: 2^25 bytes. The levels 1 to 19 need at most 2^23; zstd's own decoders refuse more than 2^27.
    /// </summary>
    private const int MaxWindowLog = 25;

    /// <summary>
    /// The content as a stream. Its length is not bounded here: whoever reads bounds it. What is no such stream throws at a read.
    /// </summary>
    /// <param name="wire">The object as on the wire; seekable, at its beginning. Stays the caller's.</param>
    public static Stream Open(Stream wire)
    {
        Span<byte> magic = stackalloc byte[ZstdMagic.Length];
        int length = wire.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        wire.Position = 0;
        if (!magic[..length].SequenceEqual(ZstdMagic))
        {
            return new ZLibStream(wire, CompressionMode.Decompress, leaveOpen: true);
        }

        var zstd = new DecompressionStream(wire, leaveOpen: true);
        zstd.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, MaxWindowLog);
        return zstd;
    }

    /// <summary>Reads a small object's content. Null: it is neither zlib nor zstd, or longer than allowed.</summary>
    public static byte[]? TryRead(byte[] wire, int maxBytes)
    {
        byte[] content = new byte[maxBytes + 1];
        try
        {
            using Stream inflated = Open(new MemoryStream(wire, writable: false));
            int length = inflated.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            return length <= maxBytes ? content[..length] : null;
        }
        catch (Exception e) when (IsDamage(e))
        {
            return null;
        }
    }

    /// <summary>Does this exception of a read say that the object is damaged, or cannot be read?</summary>
    public static bool IsDamage(Exception exception) => exception is InvalidDataException or IOException or ZstdException;
}

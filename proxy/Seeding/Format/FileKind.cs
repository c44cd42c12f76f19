using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Breakwater.Proxy.Seeding.Format;

/// <summary>What the runtime does not tell of a path (statx, symbolic links followed).</summary>
internal static partial class FileKind
{
    private const int WorkingDirectory = -100;
    private const uint BasicStats = 0x7ff;
    private const ushort TypeMask = 0xf000;
    private const ushort RegularFile = 0x8000;

    /// <summary>Is there something at the path that is no regular file: a pipe, a device, a socket?</summary>
    public static bool IsSpecial(string path)
    {
        Span<byte> stat = stackalloc byte[256];
        return TryStat(path, stat) && (BinaryPrimitives.ReadUInt16LittleEndian(stat[28..]) & TypeMask) != RegularFile;
    }

    /// <summary>Do both paths lead to the same thing?</summary>
    public static bool IsSame(string left, string right)
    {
        Span<byte> one = stackalloc byte[256];
        Span<byte> other = stackalloc byte[256];
        return TryStat(left, one) && TryStat(right, other) && one.Slice(32, 8).SequenceEqual(other.Slice(32, 8))
            && one.Slice(136, 8).SequenceEqual(other.Slice(136, 8));
    }

    private static bool TryStat(string path, Span<byte> stat) =>
        OperatingSystem.IsLinux() && Statx(WorkingDirectory, path, 0, BasicStats, ref MemoryMarshal.GetReference(stat)) == 0;

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, ref byte buffer);
}

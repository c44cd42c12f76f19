using System.Runtime.InteropServices;

namespace Breakwater.TestSupport;

/// <summary>
/// Bytes that follow from a seed and cannot be compressed (SplitMix64). <see cref="Random"/> with a seed makes them one by one: to make an
/// object took longer than to hash it.
/// </summary>
public static class SeededBytes
{
    /// <summary>Makes so many.</summary>
    public static byte[] Make(int seed, int length)
    {
        byte[] bytes = new byte[length];
        ulong state = (uint)seed * 0xD1342543DE82EF95UL;
        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan());
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = Next(ref state);
        }

        ulong last = Next(ref state);
        MemoryMarshal.AsBytes(new Span<ulong>(ref last))[..(length % sizeof(ulong))].CopyTo(bytes.AsSpan(words.Length * sizeof(ulong)));
        return bytes;
    }

    private static ulong Next(ref ulong state)
    {
        ulong z = state += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}

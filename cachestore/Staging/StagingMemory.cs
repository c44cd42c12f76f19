using System.Numerics;
using System.Runtime.InteropServices;
using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Staging;

/// <summary>The memory of staged parts: blocks of powers of two, kept for the next one up to a limit. Thread-safe.</summary>
internal static unsafe class StagingMemory
{
    /// <summary>Free blocks are kept up to 48 MiB: the bytes staged between two commits, and some.</summary>
    private const long MostKeptBytes = 48 << 20;

    private const int SmallestLog2 = 8;

    // each locked by itself
    private static readonly Stack<nint>[] s_free =
        [.. Enumerable.Range(SmallestLog2, BitOperations.Log2(PartSize.Full) - SmallestLog2 + 1).Select(_ => new Stack<nint>())];
    private static long s_keptBytes;

    /// <summary>The size of a block for so many bytes, 256 B to the size of a part.</summary>
    public static int CapacityFor(int bytes) => (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(bytes, 1 << SmallestLog2));

    /// <summary>A block of a size that <see cref="CapacityFor"/> gave; its bytes are of any value.</summary>
    public static byte* Rent(int capacity)
    {
        Stack<nint> free = FreeOf(capacity);
        lock (free)
        {
            if (free.TryPop(out nint block))
            {
                Interlocked.Add(ref s_keptBytes, -capacity);
                return (byte*)block;
            }
        }

        return (byte*)NativeMemory.Alloc((nuint)capacity);
    }

    /// <summary>Gives a block back.</summary>
    public static void Return(byte* block, int capacity)
    {
        if (Interlocked.Add(ref s_keptBytes, capacity) > MostKeptBytes)
        {
            Interlocked.Add(ref s_keptBytes, -capacity);
            NativeMemory.Free(block);
            return;
        }

        Stack<nint> free = FreeOf(capacity);
        lock (free)
        {
            free.Push((nint)block);
        }
    }

    private static Stack<nint> FreeOf(int capacity) => s_free[BitOperations.Log2((uint)capacity) - SmallestLog2];
}

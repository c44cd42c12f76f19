using System.Numerics;
using System.Runtime.InteropServices;

namespace Breakwater.CacheStore.Disk;

/// <summary>
/// Memory for the parts of bodies that are on their way: blocks outside the collector's heap, kept for the next one up to a limit. What a
/// while did not need goes back to the system: a machine that was busy for a minute is not to keep that minute's memory for ever, as
/// pools of arrays do, of which each thread keeps some. Thread-safe.
/// </summary>
internal sealed unsafe class BlockPool : IDisposable
{
    /// <summary>Free blocks are kept up to 48 MiB: the bytes staged between two commits, and some.</summary>
    private const long MostKeptBytes = 48 << 20;

    /// <summary>Less is not worth asking the allocator to give its free pages back, which looks through all of them.</summary>
    private const long WorthBytes = 1 << 20;

    private const int SmallestLog2 = 8;
    private const int LargestLog2 = 18;

    /// <summary>A part of 256 KiB, and what stands before it in the log: as a power of two it would take twice as much.</summary>
    private const int Largest = (1 << LargestLog2) + 64;

    /// <summary>The while: several commits.</summary>
    private static readonly TimeSpan s_while = TimeSpan.FromSeconds(10);

    private readonly FreeBlocks[] _free =
        [.. Enumerable.Range(SmallestLog2, LargestLog2 - SmallestLog2 + 1).Select(_ => new FreeBlocks())];
    private readonly ITimer _timer;
    private long _keptBytes;
    private int _isTimed;   // 1: the timer runs

    /// <summary>Nothing is in it yet.</summary>
    /// <param name="time">Tells when the while is over.</param>
    public BlockPool(TimeProvider time) => _timer = time.CreateTimer(
        static memory => ((BlockPool)memory!).Trim(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>That of the process.</summary>
    public static BlockPool Shared { get; } = new(TimeProvider.System);

    /// <summary>Bytes in free blocks.</summary>
    public long KeptBytes => Interlocked.Read(ref _keptBytes);

    /// <summary>The size of a block for so many bytes. Longer ones than a part with its header are not kept.</summary>
    public static int CapacityFor(int bytes) => bytes is > 1 << (LargestLog2 - 1) and <= Largest ? Largest
        : (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(bytes, 1 << SmallestLog2));

    /// <summary>A block of a size that <see cref="CapacityFor"/> gave; its bytes are of any value.</summary>
    public byte* Rent(int capacity)
    {
        if (capacity <= Largest && FreeOf(capacity).TryPop(out nint block))
        {
            Interlocked.Add(ref _keptBytes, -capacity);
            return (byte*)block;
        }

        return (byte*)NativeMemory.Alloc((nuint)capacity);
    }

    /// <summary>Gives a block back.</summary>
    public void Return(byte* block, int capacity)
    {
        if (capacity > Largest)
        {
            NativeMemory.Free(block);
            return;
        }

        if (Interlocked.Add(ref _keptBytes, capacity) > MostKeptBytes)
        {
            Interlocked.Add(ref _keptBytes, -capacity);
            NativeMemory.Free(block);
            return;
        }

        FreeOf(capacity).Push((nint)block);
        StartTimer();
    }

    /// <summary>Frees what is kept. Nobody uses it any more.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        Free();
        Free();
    }

    private void StartTimer()
    {
        if (Volatile.Read(ref _isTimed) == 0 && Interlocked.Exchange(ref _isTimed, 1) == 0)
        {
            _timer.Change(s_while, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>A while is over.</summary>
    private void Trim()
    {
        if (Free() >= WorthBytes)
        {
            Posix.ReleaseFreeMemory();
        }

        Volatile.Write(ref _isTimed, 0);
        if (KeptBytes > 0)
        {
            StartTimer();
        }
    }

    /// <summary>Frees what was free since the last time; how many bytes.</summary>
    private long Free()
    {
        long freed = 0;
        for (int i = 0; i < _free.Length; i++)
        {
            foreach (nint block in _free[i].TakeUnneeded())
            {
                NativeMemory.Free((void*)block);
                freed += CapacityFor(1 << (SmallestLog2 + i));
            }
        }

        Interlocked.Add(ref _keptBytes, -freed);
        return freed;
    }

    private FreeBlocks FreeOf(int capacity) => _free[BitOperations.Log2((uint)capacity) - SmallestLog2];
}

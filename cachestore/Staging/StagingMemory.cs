using System.Numerics;
using System.Runtime.InteropServices;
using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Staging;

/// <summary>
/// The memory of staged parts: blocks of powers of two, kept for the next one up to a limit. What a moment of many writes took, and nobody
/// needs any more, goes back to the system (<see cref="Trim"/>). Thread-safe.
/// </summary>
/// <param name="time">Measures how long blocks lie unused.</param>
internal sealed unsafe class StagingMemory(TimeProvider time)
{
    /// <summary>Free blocks are kept up to 48 MiB: the bytes staged between two commits, and some.</summary>
    public const long MostKeptBytes = 48 << 20;

    /// <summary>How long a block lies unused before its memory goes back to the system, and at most twice that.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromSeconds(10);

    private const int SmallestLog2 = 8;

    private readonly FreeBlocks[] _free =
        [.. Enumerable.Range(SmallestLog2, BitOperations.Log2(PartSize.Full) - SmallestLog2 + 1).Select(log2 => new FreeBlocks(1 << log2))];

    private readonly Lock _taking = new();
    private MemoryFile? _file; // guarded by _taking: not held, so that it goes with its last part; the next ones come from it
    private readonly Lock _trimming = new();
    private long _keptBytes;
    private long _trimmed = time.GetTimestamp();

    /// <summary>Of all stores of the process.</summary>
    public static StagingMemory Shared { get; } = new(TimeProvider.System);

    /// <summary>Bytes of free blocks.</summary>
    public long KeptBytes => Interlocked.Read(ref _keptBytes);

    /// <summary>The size of a block for so many bytes, 256 B to the size of a part.</summary>
    public static int CapacityFor(int bytes) => (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(bytes, 1 << SmallestLog2));

    /// <summary>
    /// Memory that is a file as well, for one use, with a hold on the file. False: there is none, or so many bytes are sent as cheaply by a
    /// copy.
    /// </summary>
    public bool TryTakeSendable(int bytes, out MemoryFile? file, out byte* start)
    {
        file = null;
        start = null;
        if (bytes < ObjectLease.LeastBytesFromFile)
        {
            return false;
        }

        lock (_taking)
        {
            if (_file is not null && _file.TryTake(bytes, out start))
            {
                file = _file;
                return true;
            }

            _file = MemoryFile.TryMake();
            if (_file is null)
            {
                return false;
            }

            file = _file;
            _file.TryTake(bytes, out start);
            _file.Release(); // the maker's hold
            return true;
        }
    }

    /// <summary>A block of a size that <see cref="CapacityFor"/> gave; its bytes are of any value.</summary>
    public byte* Rent(int capacity)
    {
        if (!FreeOf(capacity).TryTake(out nint block))
        {
            return (byte*)NativeMemory.Alloc((nuint)capacity);
        }

        Interlocked.Add(ref _keptBytes, -capacity);
        return (byte*)block;
    }

    /// <summary>Gives a block back.</summary>
    public void Return(byte* block, int capacity)
    {
        if (Interlocked.Add(ref _keptBytes, capacity) > MostKeptBytes)
        {
            Interlocked.Add(ref _keptBytes, -capacity);
            NativeMemory.Free(block);
            return;
        }

        FreeOf(capacity).Put((nint)block);
    }

    /// <summary>
    /// Gives the memory of blocks that nobody needed for <see cref="Rest"/> back to the system. Cheap when it is called often.
    /// </summary>
    public void Trim()
    {
        if (time.GetElapsedTime(Volatile.Read(ref _trimmed)) < Rest || !_trimming.TryEnter())
        {
            return;
        }

        try
        {
            long bytes = 0;
            foreach (FreeBlocks blocks in _free)
            {
                foreach (nint unused in blocks.TakeUnused())
                {
                    NativeMemory.Free((byte*)unused);
                    bytes += blocks.Capacity;
                }
            }

            Interlocked.Add(ref _keptBytes, -bytes);
            if (bytes > 0)
            {
                FreedMemory.GiveBack();
            }

            Volatile.Write(ref _trimmed, time.GetTimestamp());
        }
        finally
        {
            _trimming.Exit();
        }
    }

    private FreeBlocks FreeOf(int capacity) => _free[BitOperations.Log2((uint)capacity) - SmallestLog2];
}

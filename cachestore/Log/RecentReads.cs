namespace Breakwater.CacheStore.Log;

/// <summary>
/// Remembers for a quarter of a second what was read from the page cache, and so is still there: pread may be used for it. preadv2, which
/// can be told not to wait for the disk, costs a fifth of a 4 KB hit more. When the memory is wrong (pages pushed out meanwhile), one read
/// waits for the disk. Thread-safe, without locks: 32 KiB.
/// </summary>
internal sealed class RecentReads
{
    private const int SlotBits = 12;
    private const int EpochBits = 8; // of milliseconds
    private const ulong Mix = 0x9E3779B97F4A7C15; // 2^64 by the golden ratio: spreads consecutive numbers

    private readonly ulong[] _slots = new ulong[1 << SlotBits];

    /// <summary>A number for a run of bytes and this quarter of a second.</summary>
    /// <param name="address">Log address of the first byte.</param>
    /// <param name="length">Bytes.</param>
    public static ulong TagOf(long address, int length)
    {
        ulong epoch = (ulong)(Environment.TickCount64 >> EpochBits);
        return ((((ulong)address * Mix) + (uint)length) * Mix) ^ epoch;
    }

    /// <summary>Was it read a moment ago?</summary>
    public bool Contains(ulong tag) => Volatile.Read(ref _slots[SlotOf(tag)]) == tag;

    /// <summary>It was read just now, all of it.</summary>
    public void Add(ulong tag) => Volatile.Write(ref _slots[SlotOf(tag)], tag);

    private static int SlotOf(ulong tag) => (int)(tag >> (64 - SlotBits));
}

namespace Breakwater.CacheStore.Space;

/// <summary>
/// Remembers which keys left the store lately, in 8 bytes a slot. Collisions forget early or remember wrongly now and then: it is
/// only a hint. One writer; readers at any time.
/// </summary>
internal sealed class GhostTable
{
    private readonly ulong[] _slots; // fingerprint above, number of the entry below
    private readonly int _mask;
    private uint _count;

    /// <summary>Remembers about <paramref name="capacity"/> keys, rounded up to a power of two.</summary>
    public GhostTable(int capacity)
    {
        int size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(capacity, 1024));
        _slots = new ulong[size];
        _mask = size - 1;
    }

    public void Add(long hash) => Volatile.Write(ref _slots[(int)hash & _mask], Fingerprint(hash) | ++_count);

    /// <summary>Is it among the keys that were added last?</summary>
    public bool Contains(long hash)
    {
        ulong slot = Volatile.Read(ref _slots[(int)hash & _mask]);
        return (uint)slot != 0 && ((slot ^ Fingerprint(hash)) >> 32) == 0 && _count - (uint)slot < (uint)_slots.Length;
    }

    private static ulong Fingerprint(long hash) => (ulong)hash & 0xFFFF_FFFF_0000_0000;
}

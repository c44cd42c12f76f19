namespace Breakwater.CacheStore.Heads;

/// <summary>
/// Where each head is: 21 to 43 bytes of memory a head, in one table that the garbage collector has nothing to do with. By the first 64
/// bits of its key: two names that share them push each other out, which the entry itself tells. One writer at a time; readers at any
/// time, without a lock.
/// </summary>
internal sealed class HeadPlaces(long expected)
{
    private const int FewestSlots = 1 << 10;

    private volatile Slot[] _slots = new Slot[SlotsFor(expected)]; // replaced whole when it is full
    private int _taken; // slots with a hash, of this table; the writer's
    private long _count;

    public long Count => Interlocked.Read(ref _count);

    public bool TryGet(in ObjectKey key, out HeadPlace place)
    {
        Slot[] slots = _slots;
        ulong hash = HashOf(key);
        ref Slot slot = ref slots[Find(slots, hash)];
        place = Volatile.Read(ref slot.Hash) == hash ? new HeadPlace(Volatile.Read(ref slot.Place)) : default;
        return place.Bits != 0;
    }

    /// <summary>Is the newest entry of a key at this address?</summary>
    public bool IsAt(in ObjectKey key, long address) => TryGet(key, out HeadPlace place) && place.Address == address;

    /// <summary>Points a key to a place.</summary>
    public void Set(in ObjectKey key, HeadPlace place)
    {
        if (_taken >= _slots.Length / 4 * 3)
        {
            Rebuild();
        }

        ulong hash = HashOf(key);
        ref Slot slot = ref _slots[Find(_slots, hash)];
        _count += slot.Place == 0 ? 1 : 0;
        Volatile.Write(ref slot.Place, place.Bits); // first: who finds the hash finds the place
        if (slot.Hash == 0)
        {
            Volatile.Write(ref slot.Hash, hash);
            _taken++;
        }
    }

    /// <summary>It was asked for: it goes round once more.</summary>
    public void MarkUsed(in ObjectKey key, HeadPlace place)
    {
        if (!place.IsUsed)
        {
            Slot[] slots = _slots;
            // Lost while the table is replaced: it is a hint.
            Interlocked.CompareExchange(ref slots[Find(slots, HashOf(key))].Place, place.Used.Bits, place.Bits);
        }
    }

    /// <summary>Forgets a key. False: it is not there.</summary>
    public bool Remove(in ObjectKey key)
    {
        bool isRemoved = Interlocked.Exchange(ref _slots[Find(_slots, HashOf(key))].Place, 0) != 0;
        _count -= isRemoved ? 1 : 0;
        return isRemoved;
    }

    /// <summary>0 is no hash.</summary>
    private static ulong HashOf(in ObjectKey key) => (ulong)key.GetHashCode64() is var hash and not 0 ? hash : 1;

    /// <summary>
    /// The slot of a hash, or the empty one where it would be. A slot keeps its hash as long as the table lives: what is there is of that
    /// hash.
    /// </summary>
    private static int Find(Slot[] slots, ulong hash)
    {
        int mask = slots.Length - 1;
        int at = (int)(hash >> 32) & mask;
        while (Volatile.Read(ref slots[at].Hash) is var there && there != hash && there != 0)
        {
            at = (at + 1) & mask;
        }

        return at;
    }

    private void Rebuild()
    {
        Slot[] old = _slots;
        var slots = new Slot[_count > old.Length / 8 * 3 ? 2 * old.Length : old.Length]; // most of it may be names that are gone
        _taken = 0;
        foreach (Slot slot in old)
        {
            if (slot.Place != 0)
            {
                slots[Find(slots, slot.Hash)] = slot;
                _taken++;
            }
        }

        _slots = slots;
    }

    private static long SlotsFor(long heads) =>
        (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)Math.Max(FewestSlots, heads * 4 / 3));

    private struct Slot
    {
        public ulong Hash;
        public ulong Place;
    }
}

using Breakwater.CacheStore;

namespace Breakwater.Proxy.Boots;

/// <summary>
/// The objects that one boot has asked for, in order, as 32 bits of each: 12 bytes an object. Two objects with the same bits (one of 10
/// million pairs at a boot's size) only mean that a request is counted for another VM behind the same address. Not thread-safe.
/// </summary>
/// <param name="most">Objects kept; a set that is full says of every object that it has it.</param>
internal sealed class SeenObjects(int most)
{
    private uint[] _order = new uint[8];
    private uint[] _table = new uint[16];   // open addressing, at most half full; 0 is free

    /// <summary>Objects in it.</summary>
    public int Count { get; private set; }

    /// <summary>The objects in the order in which they were added, each as <see cref="Mark"/>.</summary>
    public ReadOnlySpan<uint> Order => _order.AsSpan(0, Count);

    /// <summary>Memory that it holds.</summary>
    public int Bytes => (_order.Length + _table.Length) * sizeof(uint);

    /// <summary>What is kept of an object; never 0.</summary>
    public static uint Mark(in ObjectKey key)
    {
        ulong bits = (ulong)key.GetHashCode64();
        uint mark = (uint)(bits >> 32) ^ ((uint)bits * 0x9E3779B1) ^ (byte)key.Kind;
        return mark == 0 ? 1 : mark;
    }

    /// <summary>Is the object in it?</summary>
    public bool Contains(in ObjectKey key) => Contains(Mark(key));

    /// <summary>Is an object with this mark in it?</summary>
    public bool Contains(uint mark) => Count >= most || _table[Slot(_table, mark)] != 0;

    /// <summary>Adds an object; false when it was there, or the set is full.</summary>
    public bool Add(in ObjectKey key)
    {
        uint mark = Mark(key);
        if (Contains(mark))
        {
            return false;
        }

        if ((Count + 1) * 2 > _table.Length)
        {
            Grow();
        }

        _table[Slot(_table, mark)] = mark;
        _order[Count++] = mark;
        return true;
    }

    private void Grow()
    {
        uint[] table = new uint[_table.Length * 2];
        foreach (uint mark in Order)
        {
            table[Slot(table, mark)] = mark;
        }

        _table = table;
        Array.Resize(ref _order, table.Length / 2);
    }

    /// <summary>Where the mark is, or would be.</summary>
    private static int Slot(uint[] table, uint mark)
    {
        int at = (int)((mark * 0x85EBCA6B) >> 8) & (table.Length - 1);
        while (table[at] != 0 && table[at] != mark)
        {
            at = (at + 1) & (table.Length - 1);
        }

        return at;
    }
}

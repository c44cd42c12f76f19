using System.Collections.Concurrent;

namespace Breakwater.CacheStore.Faster;

/// <summary>Where the parts of a sealed object are, and in which generation of its segment each of them was found right. Thread-safe.</summary>
internal sealed class Extents(long[] addresses)
{
    /// <summary>A part that was found right is believed for so many generations: one minute. To read a part again costs as much as to send it.</summary>
    private const int BelievedGenerations = 12;

    private readonly int[] _checked = new int[addresses.Length]; // generations; 0: not yet

    public long[] Addresses => addresses;

    public bool IsChecked(int part, int generation) => unchecked((uint)(generation - Volatile.Read(ref _checked[part]))) < BelievedGenerations;

    public void SetChecked(int part, int generation) => Volatile.Write(ref _checked[part], generation);
}

/// <summary>The extents of sealed objects in use, by the address of their seal; bounded, since they can be read again. Thread-safe.</summary>
internal sealed class ExtentCache
{
    /// <summary>12 bytes each: parts of 256 KiB of 512 GiB of objects take 24 MiB.</summary>
    private const int MaxParts = 2 << 20;

    private readonly ConcurrentDictionary<long, Extents> _bySeal = new();
    private int _parts;

    public Extents? Find(long sealAddress) => _bySeal.GetValueOrDefault(sealAddress);

    public Extents Add(long sealAddress, long[] addresses)
    {
        if (Interlocked.Add(ref _parts, addresses.Length) > MaxParts)
        {
            _bySeal.Clear();
            Interlocked.Exchange(ref _parts, addresses.Length);
        }

        return _bySeal.GetOrAdd(sealAddress, new Extents(addresses));
    }
}

using System.Collections.Concurrent;

namespace Breakwater.CacheStore.Faster;

/// <summary>Where the parts of a sealed object are, and which of them were found right in this process. Thread-safe.</summary>
internal sealed class Extents(long[] addresses)
{
    private readonly int[] _checked = new int[(addresses.Length + 31) / 32];

    public long[] Addresses => addresses;

    public bool IsChecked(int part) => (Volatile.Read(ref _checked[part / 32]) & (1 << (part % 32))) != 0;

    /// <summary>All of them are right: they have just been written from memory that had the object's digest.</summary>
    public void SetAllChecked() => _checked.AsSpan().Fill(-1);

    public void SetChecked(int part) => Interlocked.Or(ref _checked[part / 32], 1 << (part % 32));
}

/// <summary>The extents of sealed objects in use, by the address of their seal; bounded, since they can be read again. Thread-safe.</summary>
internal sealed class ExtentCache
{
    /// <summary>8 bytes each: parts of 256 KiB of 512 GiB of objects take 16 MiB.</summary>
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

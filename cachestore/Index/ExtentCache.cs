using System.Collections.Concurrent;

namespace Breakwater.CacheStore.Index;

/// <summary>
/// The extents of sealed objects in use, by the address of their seal; bounded, since they can be read again. Thread-safe.
/// </summary>
internal sealed class ExtentCache
{
    /// <summary>Some 250,000 objects of several parts: those of a hot set of 80 GiB and more.</summary>
    internal const long MaxBytes = 64L << 20;

    /// <summary>What an object takes beside its parts: two arrays, what holds them, its place in the table.</summary>
    private const int ObjectBytes = 120 + HeapCost.Entry;

    private readonly ConcurrentDictionary<long, Extents> _bySeal = new();
    private long _bytes;

    /// <summary>Objects and bytes right now.</summary>
    internal (int Count, long Bytes) Held => (_bySeal.Count, Interlocked.Read(ref _bytes));

    public Extents? Find(long sealAddress) => _bySeal.GetValueOrDefault(sealAddress);

    public Extents Add(long sealAddress, long[] addresses)
    {
        long bytes = ObjectBytes + (13L * addresses.Length);
        if (Interlocked.Add(ref _bytes, bytes) > MaxBytes)
        {
            _bySeal.Clear();
            Interlocked.Exchange(ref _bytes, bytes);
        }

        return _bySeal.GetOrAdd(sealAddress, new Extents(addresses));
    }
}

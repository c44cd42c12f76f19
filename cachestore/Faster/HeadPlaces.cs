using System.Collections.Concurrent;

namespace Breakwater.CacheStore.Faster;

/// <summary>
/// Where each head is: about 70 bytes of memory a head. By the first 64 bits of its key: two names that share them push each other out,
/// which the entry itself
/// tells. One writer at a time; readers at any time.
/// </summary>
internal sealed class HeadPlaces(long expected)
{
    private readonly ConcurrentDictionary<long, HeadPlace> _places = new(1, (int)Math.Clamp(expected, 31, 1 << 24));
    private long _count;

    public long Count => Interlocked.Read(ref _count);

    public bool TryGet(in ObjectKey key, out HeadPlace place) => _places.TryGetValue(key.GetHashCode64(), out place);

    /// <summary>Is the newest entry of a key at this address?</summary>
    public bool IsAt(in ObjectKey key, long address) => TryGet(key, out HeadPlace place) && place.Address == address;

    public void Set(in ObjectKey key, HeadPlace place)
    {
        long hash = key.GetHashCode64();
        if (_places.TryAdd(hash, place))
        {
            Interlocked.Increment(ref _count);
        }
        else
        {
            _places[hash] = place;
        }
    }

    /// <summary>It was asked for: it goes round once more.</summary>
    public void MarkUsed(in ObjectKey key, HeadPlace place)
    {
        if (!place.IsUsed)
        {
            _places.TryUpdate(key.GetHashCode64(), place.Used, place);
        }
    }

    public bool Remove(in ObjectKey key)
    {
        bool isRemoved = _places.TryRemove(key.GetHashCode64(), out _);
        Interlocked.Add(ref _count, isRemoved ? -1 : 0);
        return isRemoved;
    }
}

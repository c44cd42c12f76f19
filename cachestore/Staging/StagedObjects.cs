using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Breakwater.CacheStore.Staging;

/// <summary>
/// Verified objects that the index does not know yet, by key. Nearly always there are none, and every hit asks: that answer costs one load.
/// Thread-safe.
/// </summary>
internal sealed class StagedObjects
{
    private readonly ConcurrentDictionary<ObjectKey, StagedObject> _objects = new();
    private int _most; // never less than there are: counted up before one is added, down after it is removed

    /// <summary>Is there one?</summary>
    public bool Contains(in ObjectKey key) => Volatile.Read(ref _most) != 0 && _objects.ContainsKey(key);

    /// <summary>Finds one.</summary>
    public bool TryGet(in ObjectKey key, [NotNullWhen(true)] out StagedObject? staged)
    {
        staged = null;
        return Volatile.Read(ref _most) != 0 && _objects.TryGetValue(key, out staged);
    }

    /// <summary>Adds an object unless one of its key is there. Returns the one that is there now.</summary>
    public StagedObject GetOrAdd(StagedObject staged)
    {
        Interlocked.Increment(ref _most);
        StagedObject winner = _objects.GetOrAdd(staged.Key, staged);
        if (!ReferenceEquals(winner, staged))
        {
            Interlocked.Decrement(ref _most);
        }

        return winner;
    }

    /// <summary>Removes the object of a key, whichever it is. False: there is none.</summary>
    public bool Remove(in ObjectKey key) => CountDown(_objects.TryRemove(key, out _));

    /// <summary>Removes this very object. False: it is not there.</summary>
    public bool Remove(StagedObject staged) => CountDown(_objects.TryRemove(KeyValuePair.Create(staged.Key, staged)));

    private bool CountDown(bool isRemoved)
    {
        if (isRemoved)
        {
            Interlocked.Decrement(ref _most);
        }

        return isRemoved;
    }
}

namespace Breakwater.CacheStore;

/// <summary>
/// Counts the holders of something that goes when the last one lets go. A field of what it counts for, never copied. Thread-safe.
/// </summary>
internal struct ReferenceCount
{
    private int _holders = 1;

    /// <summary>Begins with one holder, the maker.</summary>
    public ReferenceCount()
    {
    }

    /// <summary>Holds at present.</summary>
    public int Holders => Volatile.Read(ref _holders);

    /// <summary>Takes a hold; the caller knows that one is held.</summary>
    public void Acquire() => Interlocked.Increment(ref _holders);

    /// <summary>Takes a hold. False: the last one is gone already.</summary>
    public bool TryAcquire()
    {
        int seen = Volatile.Read(ref _holders);
        while (seen > 0)
        {
            int before = Interlocked.CompareExchange(ref _holders, seen + 1, seen);
            if (before == seen)
            {
                return true;
            }

            seen = before;
        }

        return false;
    }

    /// <summary>Gives a hold back. True: it was the last one, and the caller disposes of what was counted.</summary>
    public bool Release() => Interlocked.Decrement(ref _holders) == 0;
}

namespace Breakwater.CacheStore.Spooling;

/// <summary>
/// Memory for bodies that the store does not take (full, read-only or broken disk), or must not take (fetched with a password), shared by
/// all of them. Thread-safe.
/// </summary>
/// <param name="limitBytes">The most that may be taken.</param>
public sealed class OverflowBudget(long limitBytes)
{
    private long _taken;

    /// <summary>Bytes taken right now.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Takes memory. False: there is not so much left.</summary>
    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _taken, bytes) <= limitBytes)
        {
            return true;
        }

        Interlocked.Add(ref _taken, -bytes);
        return false;
    }

    /// <summary>Gives back what was taken.</summary>
    public void GiveBack(long bytes) => Interlocked.Add(ref _taken, -bytes);
}

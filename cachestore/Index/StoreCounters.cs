namespace Breakwater.CacheStore.Index;

/// <summary>What happened since the start. Thread-safe.</summary>
internal sealed class StoreCounters
{
    private long _storedBytes;
    private long _rewrittenBytes;
    private long _evictedObjects;
    private long _damagedObjects;

    public long StoredBytes => Interlocked.Read(ref _storedBytes);

    public long RewrittenBytes => Interlocked.Read(ref _rewrittenBytes);

    public long EvictedObjects => Interlocked.Read(ref _evictedObjects);

    public long DamagedObjects => Interlocked.Read(ref _damagedObjects);

    public void AddStored(long bytes) => Interlocked.Add(ref _storedBytes, bytes);

    public void AddRewritten(long bytes) => Interlocked.Add(ref _rewrittenBytes, bytes);

    public void CountEvicted() => Interlocked.Increment(ref _evictedObjects);

    public void CountDamaged() => Interlocked.Increment(ref _damagedObjects);
}

namespace Breakwater.CacheStore.Staging;

/// <summary>
/// Counts the bytes that the log took and has not flushed yet: they are in memory twice; and the buffers that are in use. Thread-safe.
/// </summary>
internal sealed class StagingBudget(long limitBytes)
{
    private long _bytes;
    private int _buffers;

    /// <summary>Bytes that the log took and has not flushed yet.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Buffers of staged parts that somebody holds.</summary>
    public int Buffers => Volatile.Read(ref _buffers);

    /// <summary>Time to commit, so that writers need not wait for it.</summary>
    public bool IsHalfUsed => Interlocked.Read(ref _bytes) > limitBytes / 2;

    /// <summary>Writers wait for the next commit.</summary>
    public bool IsExceeded => Interlocked.Read(ref _bytes) > limitBytes;

    public void Add(int bytes) => Interlocked.Add(ref _bytes, bytes);

    public void Remove(int bytes) => Interlocked.Add(ref _bytes, -bytes);

    public void BufferTaken() => Interlocked.Increment(ref _buffers);

    public void BufferLetGo() => Interlocked.Decrement(ref _buffers);
}

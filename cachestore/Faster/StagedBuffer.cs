using System.Buffers;

namespace Breakwater.CacheStore.Faster;

/// <summary>Pooled memory of one part. Counted: goes back to the pool when the last reader has let go. Thread-safe.</summary>
internal sealed class StagedBuffer(int minimumBytes)
{
    private readonly byte[] _bytes = ArrayPool<byte>.Shared.Rent(minimumBytes);
    private int _references = 1;

    public byte[] Bytes => _bytes;

    /// <summary>Takes a reference; the caller knows that one is held (under the owner's lock).</summary>
    public void Acquire() => Interlocked.Increment(ref _references);

    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }
    }
}

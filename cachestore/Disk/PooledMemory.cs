using System.Buffers;

namespace Breakwater.CacheStore.Disk;

/// <summary>
/// Memory for a moment, outside the collector's heap: of arrays as long as these every thread of the pool would keep its own. Dispose it
/// when nobody reads or writes it any more.
/// </summary>
public sealed unsafe class PooledMemory : MemoryManager<byte>
{
    private readonly int _bytes;
    private readonly int _capacity;
    private readonly byte* _start;
    private int _isReturned;

    /// <summary>Takes it; its bytes are of any value.</summary>
    /// <param name="bytes">Its length.</param>
    public PooledMemory(int bytes)
    {
        _bytes = bytes;
        _capacity = BlockPool.CapacityFor(bytes);
        _start = BlockPool.Shared.Rent(_capacity);
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => new(_start, _bytes);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

    /// <inheritdoc/>
    public override void Unpin()
    {
    }

    /// <summary>Gives it back.</summary>
    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _isReturned, 1) == 0)
        {
            BlockPool.Shared.Return(_start, _capacity);
        }
    }
}

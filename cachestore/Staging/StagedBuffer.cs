using System.Buffers;

namespace Breakwater.CacheStore.Staging;

/// <summary>
/// Memory of one part, outside the collector's heap: what lives for the time between two commits would be copied by each collection in
/// between. Of a pool, or a part of a file in memory, from which it is sent without a copy. Counted: goes when the last reader has let go.
/// Thread-safe.
/// </summary>
internal sealed unsafe class StagedBuffer : MemoryManager<byte>
{
    private readonly byte* _start;
    private readonly MemoryFile? _file;         // a part of it, held; null: a block of the pool
    private readonly StagingBudget _budget;
    private ReferenceCount _references = new();

    /// <summary>Takes memory.</summary>
    /// <param name="minimumBytes">What is needed; it may be more.</param>
    /// <param name="budget">Counts it.</param>
    public StagedBuffer(int minimumBytes, StagingBudget budget)
    {
        _budget = budget;
        budget.BufferTaken();
        if (StagingMemory.Shared.TryTakeSendable(minimumBytes, out _file, out _start))
        {
            Capacity = minimumBytes;
            return;
        }

        Capacity = StagingMemory.CapacityFor(minimumBytes);
        _start = StagingMemory.Shared.Rent(Capacity);
    }

    /// <summary>Bytes that there is room for.</summary>
    public int Capacity { get; }

    /// <summary>Where they are; fixed until the last reference is let go.</summary>
    public nint Address => (nint)_start;

    /// <summary>Where a run of its bytes is in a file. False: in none.</summary>
    public bool TryGetFileRange(int start, int length, out ObjectFileRange range)
    {
        range = _file is null ? default : new ObjectFileRange(_file.Handle, _file.OffsetOf(_start) + start, length);
        return _file is not null;
    }

    /// <summary>References that are held.</summary>
    public int Holders => _references.Holders;

    /// <summary>Takes a reference; the caller knows that one is held (under the owner's lock).</summary>
    public void Acquire() => _references.Acquire();

    /// <summary>Lets a reference go.</summary>
    public void Release()
    {
        if (_references.Release())
        {
            if (_file is not null)
            {
                _file.Release();
            }
            else
            {
                StagingMemory.Shared.Return(_start, Capacity);
            }

            _budget.BufferLetGo();
        }
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => new(_start, Capacity);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

    /// <inheritdoc/>
    public override void Unpin()
    {
    }

    /// <summary>As <see cref="Release"/>.</summary>
    protected override void Dispose(bool disposing) => Release();
}

using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Staging;

/// <summary>
/// An object on its way into the log: readable from memory until the log has flushed a part, from the segment file after that.
/// One writer, any number of readers. Counted: the writer, the commit loop and each lease hold it.
/// </summary>
internal sealed class StagedObject(ObjectKey key, SegmentSet segments, StagingBudget budget)
{
    private ReferenceCount _references = new();
    private int _uses;
    private long _floorAddress = long.MaxValue;
    private volatile bool _isRevoked;

    public ObjectKey Key => key;

    /// <summary>Its bytes, in the log or on their way there.</summary>
    public StagedParts Parts { get; } = new(segments, budget);

    public long Length => Parts.Length;

    /// <summary>No entry of this object lies below; set before its first one is appended. The cleaner stops here.</summary>
    public long FloorAddress
    {
        get => Volatile.Read(ref _floorAddress);
        set => Volatile.Write(ref _floorAddress, value);
    }

    /// <summary>The store wants its parts' room back: nothing more of it is stored.</summary>
    public bool IsRevoked
    {
        get => _isRevoked;
        set => _isRevoked = value;
    }

    /// <summary>Leases handed out before it was durable.</summary>
    public int Uses => Volatile.Read(ref _uses);

    public void CountUse() => Interlocked.Increment(ref _uses);

    /// <summary>Completed by the commit loop; what <see cref="ObjectWriter.CommitAsync"/> of a second writer waits for.</summary>
    public TaskCompletionSource<CommitResult> Committed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Reads what is in memory or in the page cache. −1: must wait for the disk.</summary>
    public int TryRead(long offset, Span<byte> destination)
    {
        if (!Parts.TryLocate(offset, destination.Length, out StagedLocation location))
        {
            return 0;
        }

        if (location.Buffer is { } buffer)
        {
            buffer.GetSpan().Slice(location.Start, location.Length).CopyTo(destination);
            buffer.Release();
            return location.Length;
        }

        if (Length <= ObjectLease.MaxWholeBytes)
        {
            return location.TryReadAndCheck(segments.Disk, key, destination);
        }

        int n = segments.Disk.TryRead(location.Segment!.Handle, destination[..location.Length], location.FileOffset);
        return n > 0 ? n : -1;
    }

    public ValueTask<int> ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (!Parts.TryLocate(offset, destination.Length, out StagedLocation location))
        {
            return ValueTask.FromResult(0);
        }

        if (location.Buffer is { } buffer)
        {
            buffer.GetSpan().Slice(location.Start, location.Length).CopyTo(destination.Span);
            buffer.Release();
            return ValueTask.FromResult(location.Length);
        }

        return location.ReadAndCheckAsync(segments.Disk, key, destination, cancellationToken);
    }

    /// <summary>
    /// Where the byte at an offset lies in a file, valid while the object and <paramref name="held"/> are held. False: in memory that is
    /// none.
    /// </summary>
    public bool TryGetFileRange(long offset, out ObjectFileRange range, out StagedBuffer? held)
    {
        range = default;
        held = null;
        if (!Parts.TryLocate(offset, int.MaxValue, out StagedLocation location))
        {
            return false;
        }

        if (location.Buffer is { } buffer)
        {
            if (buffer.TryGetFileRange(location.Start, location.Length, out range))
            {
                held = buffer;
                return true;
            }

            buffer.Release();
            return false;
        }

        range = new ObjectFileRange(location.Segment!.Handle, location.FileOffset, location.Length);
        return true;
    }

    /// <summary>
    /// Where the byte at an offset lies in memory, ours or a mapped file's, valid while the object and <paramref name="held"/> are held.
    /// False: it cannot be mapped.
    /// </summary>
    public bool TryGetMapped(long offset, out MappedRun run, out StagedBuffer? held)
    {
        run = default;
        held = null;
        if (!Parts.TryLocate(offset, int.MaxValue, out StagedLocation location))
        {
            return false;
        }

        if (location.Buffer is { } buffer)
        {
            held = buffer;
            run = new MappedRun(buffer.Address + location.Start, location.Length);
            return true;
        }

        nint start = location.Segment!.Map(1L << segments.SegmentSizeBits);
        run = new MappedRun(start + (nint)location.FileOffset, location.Length);
        return start != 0;
    }

    public void Acquire() => _references.Acquire();

    /// <summary>Takes a hold unless the last one is gone.</summary>
    public bool TryAcquire() => _references.TryAcquire();

    public void Release()
    {
        if (_references.Release())
        {
            Parts.Clear();
        }
    }
}

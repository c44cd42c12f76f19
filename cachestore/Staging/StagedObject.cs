using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Staging;

/// <summary>
/// An object on its way into the log: readable from memory until the log has flushed a part, from the segment file after that.
/// One writer, any number of readers. Counted: the writer, the commit loop and each lease hold it.
/// </summary>
internal sealed class StagedObject(ObjectKey key, SegmentSet segments, StagingBudget budget)
{
    /// <summary>Size of all parts but the last.</summary>
    public const int PartBytes = 256 << 10;

    /// <summary>Parts of an object of this length.</summary>
    public static int PartsOf(long objectLength) => (int)((objectLength + PartBytes - 1) / PartBytes);

    /// <summary>Length of a part of an object.</summary>
    public static int PartLength(long objectLength, int part) => (int)Math.Min(PartBytes, objectLength - ((long)part * PartBytes));

    private const int SmallestBufferBytes = 16 << 10;

    private readonly Lock _gate = new();
    private readonly List<StagedPart> _parts = []; // guarded by _gate
    private long _length; // written by the writer after the bytes are in place
    private int _references = 1;
    private int _uses;
    private long _floorAddress = long.MaxValue;
    private volatile bool _isRevoked;
    private int _firstBuffered; // guarded by _gate: parts before it are read from files

    public ObjectKey Key => key;

    public long Length => Volatile.Read(ref _length);

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

    public int PartCount
    {
        get
        {
            lock (_gate)
            {
                return _parts.Count;
            }
        }
    }

    /// <summary>
    /// Copies as much as fits into the last part. The writer only. Returns the bytes taken; 0: the part is full, start another.
    /// </summary>
    public int Fill(ReadOnlySpan<byte> bytes, long? expectedLength)
    {
        int used;
        StagedBuffer buffer;
        lock (_gate)
        {
            if (_parts.Count == 0)
            {
                _parts.Add(NewPart(bytes.Length, expectedLength));
            }

            StagedPart part = _parts[^1];
            used = part.Length;
            if (used == PartBytes)
            {
                return 0;
            }

            buffer = part.Buffer!;
            if (used == buffer.Capacity)
            {
                StagedBuffer larger = new(Math.Min(PartBytes, 2 * used), budget);
                buffer.GetSpan()[..used].CopyTo(larger.GetSpan());
                buffer.Release();
                buffer = larger;
                part.Buffer = larger;
            }
        }

        int taken = Math.Min(bytes.Length, Math.Min(PartBytes, buffer.Capacity) - used);
        bytes[..taken].CopyTo(buffer.GetSpan()[used..]); // beyond what readers see
        lock (_gate)
        {
            _parts[^1].Length += taken;
        }

        Volatile.Write(ref _length, _length + taken);
        return taken;
    }

    /// <summary>Starts the next part. The writer only.</summary>
    public void StartPart(int wantedBytes, long? expectedLength)
    {
        lock (_gate)
        {
            _parts.Add(NewPart(wantedBytes, expectedLength));
        }
    }

    /// <summary>The bytes of a part that is still in memory. The writer only, before <see cref="PlacePart"/>.</summary>
    public ReadOnlyMemory<byte> PartMemory(int index)
    {
        lock (_gate)
        {
            StagedPart part = _parts[index];
            return part.Buffer is null ? default : part.Buffer.Memory[..part.Length];
        }
    }

    /// <summary>The log took a part. Its memory goes when the log has flushed it.</summary>
    /// <param name="index">Its number.</param>
    /// <param name="address">Where it is.</param>
    /// <param name="isVerified">Has the whole object its digest?</param>
    public void PlacePart(int index, long address, bool isVerified)
    {
        lock (_gate)
        {
            StagedPart part = _parts[index];
            part.Address = address;
            part.UnverifiedAt = isVerified ? -1 : address;
            budget.Add(part.Length);
        }
    }

    /// <summary>Where parts were placed before the digest was known, and their lengths; each part is told once.</summary>
    public List<(long Address, int Length)> TakeUnverified()
    {
        List<(long, int)> taken = [];
        lock (_gate)
        {
            foreach (StagedPart part in _parts)
            {
                if (part.UnverifiedAt >= 0)
                {
                    taken.Add((part.UnverifiedAt, part.Length));
                    part.UnverifiedAt = -1;
                }
            }
        }

        return taken;
    }

    /// <summary>What <see cref="TakeUnverified"/> would tell of.</summary>
    public long UnverifiedBytes
    {
        get
        {
            lock (_gate)
            {
                return _parts.Sum(static part => part.UnverifiedAt >= 0 ? (long)part.Length : 0);
            }
        }
    }

    /// <summary>Addresses of all parts, in order.</summary>
    public long[] Addresses()
    {
        lock (_gate)
        {
            return [.. _parts.Select(part => part.Address)];
        }
    }

    /// <summary>Lets go of the memory of parts that lie below <paramref name="flushedUntil"/>.</summary>
    public void ReleaseFlushed(long flushedUntil)
    {
        lock (_gate)
        {
            while (_firstBuffered < _parts.Count && _parts[_firstBuffered] is { Address: >= 0 } part
                && part.Address + BlobLog.SizeOf(part.Length) <= flushedUntil)
            {
                if (segments.TryAcquire(part.Address, out Segment? segment))
                {
                    part.Segment = segment;
                    DropBufferLocked(part);
                }
                else
                {
                    LeaveLogLocked(part); // cleaned away already: who reads on does so from memory
                }

                _firstBuffered++;
            }
        }
    }

    /// <summary>
    /// The object is not stored after all: the log's copy of its parts is of no use, and who still reads does so from memory.
    /// </summary>
    public void LeaveLog()
    {
        lock (_gate)
        {
            foreach (StagedPart part in _parts)
            {
                LeaveLogLocked(part);
            }
        }
    }

    /// <summary>Reads what is in memory or in the page cache. −1: must wait for the disk.</summary>
    public int TryRead(long offset, Span<byte> destination)
    {
        if (!TryLocate(offset, destination.Length, out StagedLocation location))
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
        if (!TryLocate(offset, destination.Length, out StagedLocation location))
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

    /// <summary>Where the byte at an offset lies in a file. False: still in memory.</summary>
    public bool TryGetFileRange(long offset, out ObjectFileRange range)
    {
        range = default;
        if (!TryLocate(offset, int.MaxValue, out StagedLocation location))
        {
            return false;
        }

        if (location.Buffer is { } buffer)
        {
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
        if (!TryLocate(offset, int.MaxValue, out StagedLocation location))
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

    public void Acquire() => Interlocked.Increment(ref _references);

    /// <summary>Takes a hold unless the last one is gone.</summary>
    public bool TryAcquire()
    {
        int seen = Volatile.Read(ref _references);
        while (seen > 0)
        {
            int before = Interlocked.CompareExchange(ref _references, seen + 1, seen);
            if (before == seen)
            {
                return true;
            }

            seen = before;
        }

        return false;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _references) != 0)
        {
            return;
        }

        lock (_gate)
        {
            foreach (StagedPart part in _parts)
            {
                DropBufferLocked(part);
                part.Segment?.Release();
            }

            _parts.Clear();
        }
    }

    private StagedPart NewPart(int wantedBytes, long? expectedLength)
    {
        long size = Math.Max(expectedLength ?? wantedBytes, wantedBytes);
        return new StagedPart
        {
            Buffer =
            new StagedBuffer((int)Math.Clamp(size, expectedLength is null ? SmallestBufferBytes : 256, PartBytes), budget)
        };
    }

    private void LeaveLogLocked(StagedPart part)
    {
        if (part is { Buffer: not null, Address: >= 0 })
        {
            part.Address = -1;
            budget.Remove(part.Length);
        }
    }

    private void DropBufferLocked(StagedPart part)
    {
        if (part.Buffer is { } buffer)
        {
            part.Buffer = null;
            buffer.Release();
            if (part.Address >= 0)
            {
                budget.Remove(part.Length);
            }
        }
    }

    private bool TryLocate(long offset, int wanted, out StagedLocation location)
    {
        location = default;
        long length = Length;
        if (offset >= length || wanted == 0)
        {
            return false;
        }

        int inPart = (int)(offset % PartBytes);
        lock (_gate)
        {
            StagedPart part = _parts[(int)(offset / PartBytes)];
            int n = Math.Min(wanted, part.Length - inPart);
            if (part.Buffer is { } buffer)
            {
                buffer.Acquire();
                location = new StagedLocation(buffer, inPart, n, null, 0);
                return true;
            }

            Segment segment = part.Segment ?? throw new IOException("The bytes were written to a segment that is gone.");
            long fileOffset = segments.OffsetOf(part.Address) + BlobLog.EntryOverheadBytes + inPart;
            location = new StagedLocation(null, inPart, n, segment, fileOffset, part.Length);
            return true;
        }
    }
}

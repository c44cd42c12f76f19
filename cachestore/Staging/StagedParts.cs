using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Staging;

/// <summary>
/// The parts of a <see cref="StagedObject"/>: each in memory until the log has flushed it, in its segment's file after that. One writer,
/// any number of readers.
/// </summary>
internal sealed class StagedParts(SegmentSet segments, StagingBudget budget)
{
    private const int SmallestBufferBytes = 16 << 10;

    private readonly Lock _gate = new();
    private readonly List<StagedPart> _parts = []; // guarded by _gate
    private long _length; // written by the writer after the bytes are in place
    private int _firstBuffered; // guarded by _gate: parts before it are read from files

    /// <summary>Bytes of all parts.</summary>
    public long Length => Volatile.Read(ref _length);

    /// <summary>How many there are.</summary>
    public int Count
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
            if (used == PartSize.Full)
            {
                return 0;
            }

            buffer = part.Buffer!;
            if (used == buffer.Capacity)
            {
                StagedBuffer larger = new(Math.Min(PartSize.Full, 2 * used), budget);
                buffer.GetSpan()[..used].CopyTo(larger.GetSpan());
                buffer.Release();
                buffer = larger;
                part.Buffer = larger;
            }
        }

        int taken = Math.Min(bytes.Length, Math.Min(PartSize.Full, buffer.Capacity) - used);
        bytes[..taken].CopyTo(buffer.GetSpan()[used..]); // beyond what readers see
        lock (_gate)
        {
            _parts[^1].Length += taken;
        }

        Volatile.Write(ref _length, _length + taken);
        return taken;
    }

    /// <summary>Starts the next part. The writer only.</summary>
    public void Start(int wantedBytes, long? expectedLength)
    {
        lock (_gate)
        {
            _parts.Add(NewPart(wantedBytes, expectedLength));
        }
    }

    /// <summary>The bytes of a part that is still in memory. The writer only, before <see cref="Place"/>.</summary>
    public ReadOnlyMemory<byte> Memory(int index)
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
    public void Place(int index, long address, bool isVerified)
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

    /// <summary>Where the byte at an offset is, and how many of those that are wanted follow it there. False: there is none.</summary>
    /// <param name="offset">Of the object.</param>
    /// <param name="wanted">Bytes.</param>
    /// <param name="location">Its buffer is held for the caller; its segment as long as the object is.</param>
    public bool TryLocate(long offset, int wanted, out StagedLocation location)
    {
        location = default;
        long length = Length;
        if (offset >= length || wanted == 0)
        {
            return false;
        }

        int inPart = (int)(offset % PartSize.Full);
        lock (_gate)
        {
            StagedPart part = _parts[(int)(offset / PartSize.Full)];
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

    /// <summary>The last reader is gone: lets go of memory and files.</summary>
    public void Clear()
    {
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
            new StagedBuffer((int)Math.Clamp(size, expectedLength is null ? SmallestBufferBytes : 256, PartSize.Full), budget)
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
}

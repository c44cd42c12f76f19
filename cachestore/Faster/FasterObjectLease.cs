using System.Buffers;

namespace Breakwater.CacheStore.Faster;

/// <summary>
/// A lease on a stored object: reads straight from the segment files. The first read of a part in a process checks its header and checksum,
/// later ones do not.
/// </summary>
internal sealed class FasterObjectLease : ObjectLease
{
    private readonly FasterObjectStore _store;
    private ObjectKey _key;
    private IndexEntry _entry;
    private Segment _segment; // held: of the whole object or of its seal
    private Extents? _extents; // null: the object is one part
    private Segment[]? _partSegments; // held; ordered by number
    private int _isDisposed;

    /// <summary>Takes over the caller's holds on the segments.</summary>
    public FasterObjectLease(FasterObjectStore store, in ObjectKey key, in IndexEntry entry, Segment segment, Extents? extents, Segment[]? partSegments)
    {
        _store = store;
        _key = key;
        _entry = entry;
        _segment = segment;
        _extents = extents;
        _partSegments = partSegments;
    }

    /// <summary>Uses a disposed lease again, for an object of one part. Takes over the caller's hold on the segment.</summary>
    public void Rebind(in ObjectKey key, in IndexEntry entry, Segment segment)
    {
        if (_isDisposed == 0)
        {
            throw new InvalidOperationException("The lease is still held.");
        }

        _isDisposed = 0;
        _key = key;
        _entry = entry;
        _segment = segment;
        _extents = null;
        _partSegments = null;
    }

    public override ObjectKey Key => _key;

    public override long Length => _entry.Length;

    public override int TryRead(long offset, Span<byte> buffer)
    {
        if (offset >= Length || buffer.IsEmpty)
        {
            return 0;
        }

        Slice slice = Locate(offset);
        if (!IsChecked(slice.Part) && !TryCheckNow(slice))
        {
            return -1;
        }

        int n = TryReadHot(slice, buffer[..Math.Min(buffer.Length, slice.Remaining)]);
        return n > 0 ? n : -1;
    }

    public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (offset >= Length || buffer.IsEmpty)
        {
            return ValueTask.FromResult(0);
        }

        Slice slice = Locate(offset);
        return ReadSliceAsync(slice, buffer[..Math.Min(buffer.Length, slice.Remaining)], cancellationToken);
    }

    public override bool TryGetFileRange(long offset, out ObjectFileRange range)
    {
        range = default;
        if (offset >= Length)
        {
            return false;
        }

        Slice slice = Locate(offset);
        if (!IsChecked(slice.Part))
        {
            return false;
        }

        range = new ObjectFileRange(slice.Segment.Handle, slice.FileOffset, slice.Remaining);
        return true;
    }

    public override bool TryGetMapped(long offset, out MappedRun run)
    {
        run = default;
        if (offset >= Length)
        {
            return false;
        }

        Slice slice = Locate(offset);
        if (!IsChecked(slice.Part))
        {
            return false;
        }

        nint start = slice.Segment.Map(1L << _store.Log.Segments.SegmentSizeBits);
        run = new MappedRun(start + (nint)slice.FileOffset, slice.Remaining);
        return start != 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        _segment.Release();
        foreach (Segment segment in _partSegments ?? [])
        {
            segment.Release();
        }
    }

    private async ValueTask<int> ReadSliceAsync(Slice slice, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            if (!IsChecked(slice.Part))
            {
                await CheckAsync(slice, cancellationToken);
            }

            int n = await _store.Disk.ReadAsync(slice.Segment.Handle, buffer, slice.FileOffset, cancellationToken);
            return n > 0 ? n : throw Lost("the segment file is too short");
        }
        catch (IOException failure) when (failure is not ObjectDamagedException)
        {
            throw Lost("it cannot be read", failure);
        }
    }

    private int TryReadHot(in Slice slice, Span<byte> buffer)
    {
        ulong tag = RecentReads.TagOf(_store.Log.Segments.StartOf(slice.Segment.Id) + slice.FileOffset, buffer.Length);
        if (_store.RecentReads.Contains(tag))
        {
            return _store.Disk.ReadAgain(slice.Segment.Handle, buffer, slice.FileOffset);
        }

        int n = _store.Disk.TryRead(slice.Segment.Handle, buffer, slice.FileOffset);
        if (n == buffer.Length)
        {
            _store.RecentReads.Add(tag);
        }

        return n;
    }

    private Slice Locate(long offset)
    {
        if (_extents is null)
        {
            long start = _store.Log.Segments.OffsetOf(_entry.Address);
            return new Slice(0, _segment, start, start + BlobLog.EntryOverheadBytes + offset, (int)Length, (int)(Length - offset));
        }

        int part = (int)(offset / StagedObject.PartBytes);
        int inPart = (int)(offset % StagedObject.PartBytes);
        int length = (int)Math.Min(StagedObject.PartBytes, Length - ((long)part * StagedObject.PartBytes));
        long address = _extents.Addresses[part];
        long entryOffset = _store.Log.Segments.OffsetOf(address);
        return new Slice(part, SegmentOf(address), entryOffset, entryOffset + BlobLog.EntryOverheadBytes + inPart, length, length - inPart);
    }

    private Segment SegmentOf(long address)
    {
        int id = _store.Log.Segments.IdOf(address);
        foreach (Segment segment in _partSegments!)
        {
            if (segment.Id == id)
            {
                return segment;
            }
        }

        throw new InvalidOperationException("A lease holds all segments of its parts.");
    }

    private bool IsChecked(int part) => _extents is null ? _segment.IsChecked(_entry.Ordinal) : _extents.IsChecked(part);

    private bool TryCheckNow(in Slice slice)
    {
        byte[] entry = ArrayPool<byte>.Shared.Rent(slice.EntryBytes);
        try
        {
            int read = 0;
            while (read < slice.EntryBytes)
            {
                int n = _store.Disk.TryRead(slice.Segment.Handle, entry.AsSpan(read, slice.EntryBytes - read), slice.EntryOffset + BlobLog.LengthPrefixBytes + read);
                if (n <= 0)
                {
                    return false;
                }

                read += n;
            }

            Check(slice, entry.AsSpan(0, read));
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(entry);
        }
    }

    private async ValueTask CheckAsync(Slice slice, CancellationToken cancellationToken)
    {
        byte[] entry = ArrayPool<byte>.Shared.Rent(slice.EntryBytes);
        try
        {
            int read = 0;
            while (read < slice.EntryBytes)
            {
                int n = await _store.Disk.ReadAsync(
                    slice.Segment.Handle, entry.AsMemory(read, slice.EntryBytes - read), slice.EntryOffset + BlobLog.LengthPrefixBytes + read, cancellationToken);
                if (n <= 0)
                {
                    break;
                }

                read += n;
            }

            Check(slice, entry.AsSpan(0, read));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(entry);
        }
    }

    private void Check(in Slice slice, ReadOnlySpan<byte> entry)
    {
        if (entry.Length < slice.EntryBytes)
        {
            throw Lost("the segment file is too short");
        }

        EntryHeader header = EntryHeader.Read(entry);
        EntryKind kind = _extents is null ? EntryKind.Whole : EntryKind.Part;
        if (!header.IsValid || header.Kind != kind || header.Key != _key || header.Part != slice.Part)
        {
            throw Lost("another entry is in its place");
        }

        if (!header.Matches(entry[EntryHeader.SizeBytes..]))
        {
            throw Lost("its bytes do not have their checksum");
        }

        if (_extents is null)
        {
            _segment.SetChecked(_entry.Ordinal);
        }
        else
        {
            _extents.SetChecked(slice.Part);
        }
    }

    private ObjectDamagedException Lost(string reason, Exception? cause = null)
    {
        _store.Forget(_key, _entry.Address, reason);
        return new ObjectDamagedException(_key, reason, cause);
    }

    /// <summary>The rest of a part from some offset on.</summary>
    /// <param name="Part">Its number.</param>
    /// <param name="Segment">The file.</param>
    /// <param name="EntryOffset">Where the part's entry begins in the file.</param>
    /// <param name="FileOffset">Where the wanted byte is in the file.</param>
    /// <param name="PartLength">Bytes of the whole part.</param>
    /// <param name="Remaining">Bytes from the wanted one to the part's end.</param>
    private readonly record struct Slice(int Part, Segment Segment, long EntryOffset, long FileOffset, int PartLength, int Remaining)
    {
        public int EntryBytes => EntryHeader.SizeBytes + PartLength;
    }
}

using System.Buffers;
using Breakwater.CacheStore.Index;
using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Store;

/// <summary>
/// A lease on a stored object: reads straight from the segment files. What is copied of a short object is checked each time; what is only
/// pointed to, and what is longer, is read whole and checked when its bytes come from the disk, when its file was changed, and now and then
/// (<see cref="Segment.Generation"/>).
/// </summary>
internal sealed class FasterObjectLease : ObjectLease
{
    private readonly StoredObjects _objects;
    private ObjectKey _key;
    private IndexEntry _entry;
    private Segment _segment; // held: of the whole object or of its seal
    private Extents? _extents; // null: the object is one part
    private Segment[]? _partSegments; // held; ordered by number
    private int _isDisposed;

    /// <summary>Takes over the caller's holds on the segments.</summary>
    public FasterObjectLease(StoredObjects objects, in ObjectKey key, in IndexEntry entry, Segment segment, Extents? extents,
        Segment[]? partSegments)
    {
        _objects = objects;
        _key = key;
        _entry = entry;
        _segment = segment;
        _extents = extents;
        _partSegments = partSegments;
    }

    /// <summary>Is it a lease on objects of this store? Another one's files hold other bytes at the same places.</summary>
    public bool IsOf(StoredObjects objects) => ReferenceEquals(_objects, objects);

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

        if (IsShort)
        {
            return TryReadWhole(out ReadOnlySpan<byte> whole) ? CopyFrom(whole, (int)offset, buffer) : -1;
        }

        Slice slice = Locate(offset);
        if (!IsChecked(slice) && !TryCheckNow(slice))
        {
            return -1;
        }

        int n = TryReadHot(slice.Segment, slice.FileOffset, buffer[..Math.Min(buffer.Length, slice.Remaining)]);
        return n > 0 ? n : -1;
    }

    public override bool TryReadWhole(out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (!IsShort)
        {
            return false;
        }

        int generation = GenerationOf(_segment);
        Span<byte> entry = LeaseScratch.Bytes[..(EntryHeader.SizeBytes + (int)Length)];
        if (TryReadHot(_segment, _objects.Segments.OffsetOf(_entry.Address) + BlobLog.LengthPrefixBytes, entry) != entry.Length)
        {
            return false;
        }

        Check(0, entry);
        if (!_segment.IsChecked(_entry.Ordinal))
        {
            _segment.SetChecked(_entry.Ordinal, generation);
        }

        bytes = entry[EntryHeader.SizeBytes..];
        return true;
    }

    public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (offset >= Length || buffer.IsEmpty)
        {
            return ValueTask.FromResult(0);
        }

        return ReadAndCheckAsync(Locate(offset), buffer, cancellationToken);
    }

    public override bool TryGetFileRange(long offset, out ObjectFileRange range)
    {
        range = default;
        if (offset >= Length)
        {
            return false;
        }

        Slice slice = Locate(offset);
        if (!IsChecked(slice))
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
        if (!IsChecked(slice))
        {
            return false;
        }

        nint start = slice.Segment.Map(1L << _objects.Segments.SegmentSizeBits);
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

    /// <summary>Objects without parts that are checked each time.</summary>
    private bool IsShort => _extents is null && Length <= MaxWholeBytes;

    private static int CopyFrom(ReadOnlySpan<byte> bytes, int offset, Span<byte> buffer)
    {
        int n = Math.Min(buffer.Length, bytes.Length - offset);
        bytes.Slice(offset, n).CopyTo(buffer);
        return n;
    }

    /// <summary>
    /// Reads the whole part from the disk: the system may have read it anew, so what was found right before does not count.
    /// </summary>
    private async ValueTask<int> ReadAndCheckAsync(Slice slice, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        byte[] entry = ArrayPool<byte>.Shared.Rent(slice.EntryBytes);
        try
        {
            int generation = GenerationOf(slice.Segment);
            int read = 0;
            while (read < slice.EntryBytes)
            {
                int n = await _objects.Segments.Disk.ReadAsync(
                    slice.Segment.Handle, entry.AsMemory(read, slice.EntryBytes - read),
                    slice.EntryOffset + BlobLog.LengthPrefixBytes + read, cancellationToken);
                if (n <= 0)
                {
                    throw Lost("the segment file is too short");
                }

                read += n;
            }

            Check(slice.Part, entry.AsSpan(0, read));
            SetChecked(slice, generation);
            return CopyFrom(entry.AsSpan(EntryHeader.SizeBytes, slice.PartLength), slice.PartLength - slice.Remaining, buffer.Span);
        }
        catch (IOException failure) when (failure is not ObjectDamagedException)
        {
            throw Lost("it cannot be read", failure);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(entry);
        }
    }

    private int TryReadHot(Segment segment, long fileOffset, Span<byte> buffer)
    {
        ulong tag = RecentReads.TagOf(_objects.Segments.StartOf(segment.Id) + fileOffset, buffer.Length);
        if (_objects.RecentReads.Contains(tag))
        {
            return _objects.Segments.Disk.ReadAgain(segment.Handle, buffer, fileOffset);
        }

        int n = _objects.Segments.Disk.TryRead(segment.Handle, buffer, fileOffset);
        if (n == buffer.Length)
        {
            _objects.RecentReads.Add(tag);
        }

        return n;
    }

    private Slice Locate(long offset)
    {
        if (_extents is null)
        {
            long start = _objects.Segments.OffsetOf(_entry.Address);
            return new Slice(0, _segment, start, start + BlobLog.EntryOverheadBytes + offset, (int)Length, (int)(Length - offset));
        }

        int part = (int)(offset / PartSize.Full);
        int inPart = (int)(offset % PartSize.Full);
        int length = (int)Math.Min(PartSize.Full, Length - ((long)part * PartSize.Full));
        long address = _extents.Addresses[part];
        long entryOffset = _objects.Segments.OffsetOf(address);
        return new Slice(part, SegmentOf(address), entryOffset, entryOffset + BlobLog.EntryOverheadBytes + inPart, length, length - inPart);
    }

    private Segment SegmentOf(long address)
    {
        int id = _objects.Segments.IdOf(address);
        foreach (Segment segment in _partSegments!)
        {
            if (segment.Id == id)
            {
                return segment;
            }
        }

        throw new InvalidOperationException("A lease holds all segments of its parts.");
    }

    private int GenerationOf(Segment segment) => segment.Generation(_objects.Time);

    private bool IsChecked(in Slice slice)
    {
        int generation = GenerationOf(slice.Segment);
        return _extents is null ? _segment.IsChecked(_entry.Ordinal) : _extents.IsChecked(slice.Part, generation);
    }

    private void SetChecked(in Slice slice, int generation)
    {
        if (_extents is null)
        {
            _segment.SetChecked(_entry.Ordinal, generation);
        }
        else
        {
            _extents.SetChecked(slice.Part, generation);
        }
    }

    private bool TryCheckNow(in Slice slice)
    {
        byte[] entry = ArrayPool<byte>.Shared.Rent(slice.EntryBytes);
        try
        {
            int generation = GenerationOf(slice.Segment);
            int read = 0;
            while (read < slice.EntryBytes)
            {
                int n = _objects.Segments.Disk.TryRead(slice.Segment.Handle, entry.AsSpan(read, slice.EntryBytes - read),
                    slice.EntryOffset + BlobLog.LengthPrefixBytes + read);
                if (n <= 0)
                {
                    return false;
                }

                read += n;
            }

            Check(slice.Part, entry.AsSpan(0, read));
            SetChecked(slice, generation);
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(entry);
        }
    }

    private void Check(int part, ReadOnlySpan<byte> entry)
    {
        if (EntryHeader.WhatIsWrong(entry, _extents is null ? EntryKind.Whole : EntryKind.Part, _key, part) is { } wrong)
        {
            throw Lost(wrong);
        }
    }

    private ObjectDamagedException Lost(string reason, Exception? cause = null)
    {
        _objects.Forget(_key, _entry.Address, reason);
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

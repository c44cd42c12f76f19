namespace Breakwater.CacheStore.Log;

/// <summary>
/// Writes what the cleaner keeps, in the log's own format, into kept segments. One user at a time. A segment is begun anew at each start:
/// bytes once written are never written again.
/// </summary>
internal sealed class KeptWriter(SegmentSet segments, int pageSizeBits)
{
    private const int BufferBytes = 1 << 20;

    private readonly byte[] _buffer = new byte[BufferBytes];
    private Segment? _segment;
    private long _written; // bytes of the segment that are in the file
    private int _buffered;
    private int _nextId = segments.KeptIds is [.., int last] ? last + 1 : SegmentSet.FirstKeptId;

    /// <summary>What the segment that is being filled has room for yet.</summary>
    public long RoomBytes => _segment is null ? 0 : segments.SegmentBytes - _written - _buffered;

    /// <summary>The segment that is being filled; −1: none.</summary>
    public int CurrentId => _segment?.Id ?? -1;

    /// <summary>Appends an entry.</summary>
    /// <param name="entry">Header and payload.</param>
    /// <returns>Its address. It can be read, and is durable, after <see cref="Flush"/>.</returns>
    /// <exception cref="IOException">The disk refuses. What was appended since the last flush is void.</exception>
    public long Append(ReadOnlySpan<byte> entry)
    {
        long size = BlobLog.SizeOf(entry.Length - EntryHeader.SizeBytes);
        long offset = _written + _buffered;
        long pageSize = 1L << pageSizeBits;
        if ((offset & (pageSize - 1)) + size > pageSize)
        {
            Pad((int)(pageSize - (offset & (pageSize - 1)))); // entries do not cross pages
            offset = _written + _buffered;
        }

        if (_segment is null || offset + size > segments.SegmentBytes)
        {
            Flush();
            _segment = segments.GetOrCreate(_nextId++);
            _written = 0;
            offset = 0;
        }

        Write(BitConverter.GetBytes(entry.Length));
        Write(entry);
        Pad((int)(size - BlobLog.LengthPrefixBytes - entry.Length));
        return segments.StartOf(_segment.Id) + offset;
    }

    /// <summary>Makes all appended entries durable.</summary>
    /// <exception cref="IOException">The disk refuses. What was appended since the last flush is void.</exception>
    public void Flush()
    {
        if (_segment is not null)
        {
            WriteBuffer();
            segments.Disk.Sync(_segment.Handle);
        }
    }

    /// <summary>Gives up the segment after a failure: what was not flushed is void, the next append begins a new one.</summary>
    public void Abandon()
    {
        _segment = null;
        _buffered = 0;
        _written = 0;
    }

    private void Pad(int bytes)
    {
        Span<byte> zeros = stackalloc byte[256];
        zeros.Clear();
        for (; bytes > 0; bytes -= Math.Min(bytes, zeros.Length))
        {
            Write(zeros[..Math.Min(bytes, zeros.Length)]);
        }
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int n = Math.Min(bytes.Length, BufferBytes - _buffered);
            bytes[..n].CopyTo(_buffer.AsSpan(_buffered));
            _buffered += n;
            bytes = bytes[n..];
            if (_buffered == BufferBytes)
            {
                WriteBuffer();
            }
        }
    }

    private void WriteBuffer()
    {
        _segment!.Write(_buffer.AsSpan(0, _buffered), _written);
        _written += _buffered;
        _buffered = 0;
    }
}

using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Log;

/// <summary>
/// Reads the headers of a log's entries in order, straight from the segment files, hopping over the payloads. A header that is damaged or
/// cannot be read costs the rest of its page: each page begins with an entry.
/// </summary>
internal sealed class LogScanner(SegmentSet segments, int pageSizeBits)
{
    private const int WindowBytes = 64 << 10;

    private readonly byte[] _window = new byte[WindowBytes];

    /// <summary>Pages that were left early because a header was damaged (not just never written).</summary>
    public int DamagedPages { get; private set; }

    /// <summary>Pages that were left early because the disk refused to read them.</summary>
    public int UnreadablePages { get; private set; }

    /// <summary>Segments of the range that are missing.</summary>
    public int MissingSegments { get; private set; }

    /// <summary>The entries from <paramref name="begin"/> up to <paramref name="until"/>.</summary>
    public IEnumerable<ScannedEntry> Scan(long begin, long until)
    {
        long segmentSize = 1L << segments.SegmentSizeBits;
        long address = begin;
        while (address < until)
        {
            long segmentEnd = Math.Min(until, (address & ~(segmentSize - 1)) + segmentSize);
            if (segments.TryAcquire(address, out Segment? segment))
            {
                try
                {
                    foreach (ScannedEntry entry in ScanSegment(segment.Handle, address, segmentEnd))
                    {
                        yield return entry;
                    }
                }
                finally
                {
                    segment.Release();
                }
            }
            else
            {
                MissingSegments++;
            }

            address = segmentEnd;
        }
    }

    private IEnumerable<ScannedEntry> ScanSegment(SafeFileHandle file, long begin, long end)
    {
        long pageSize = 1L << pageSizeBits;
        long address = Math.Max(begin, BlobLog.FirstAddress);
        long windowStart = 0;
        int windowLength = 0;
        while (address + BlobLog.EntryOverheadBytes <= end)
        {
            long pageEnd = (address & ~(pageSize - 1)) + pageSize;
            if (address < windowStart || address + BlobLog.EntryOverheadBytes > windowStart + windowLength)
            {
                windowStart = address;
                if (!TryRead(file, address, WindowBytes, out windowLength)
                    && !TryRead(file, address, BlobLog.EntryOverheadBytes, out windowLength))
                {
                    UnreadablePages++;
                    address = pageEnd;
                    continue;
                }

                if (windowLength < BlobLog.EntryOverheadBytes)
                {
                    yield break; // the file ends here: never written, or cut off
                }
            }

            int at = (int)(address - windowStart);
            EntryHeader header = EntryHeader.Read(_window.AsSpan(at + BlobLog.LengthPrefixBytes));
            long next = address + BlobLog.SizeOf(header.PayloadLength);
            if (header.IsValid && next <= Math.Min(pageEnd, end))
            {
                yield return new ScannedEntry(address, header);
                address = next;
            }
            else
            {
                int bytesOfPage = (int)Math.Min(BlobLog.EntryOverheadBytes, pageEnd - address);
                bool isBlank = !_window.AsSpan(at, bytesOfPage).ContainsAnyExcept((byte)0);
                DamagedPages += isBlank ? 0 : 1;
                address = pageEnd;
            }
        }
    }

    private bool TryRead(SafeFileHandle file, long address, int bytes, out int length)
    {
        length = 0;
        try
        {
            length = segments.Disk.ReadFully(file, _window.AsSpan(0, bytes), segments.OffsetOf(address));
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}

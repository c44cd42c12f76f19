using System.IO.Hashing;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Log;

/// <summary>
/// The file beside a full segment that lists its objects, so that a start reads 48 bytes an object instead of hopping through the segment.
/// Only a shortcut: checksummed, and made again from the segment when it is missing or damaged.
/// </summary>
internal static class SegmentTable
{
    public const uint MagicNumber = 0x31545742; // "BWT1"
    public const int HeaderBytes = 32;

    /// <summary>Makes the table of a full segment by reading the segment's headers.</summary>
    /// <param name="segments">The log's.</param>
    /// <param name="id">Number of the segment.</param>
    /// <param name="pageSizeBits">Of the log.</param>
    /// <param name="isListed">Which entries count; null: all, since a commit covers them.</param>
    /// <exception cref="IOException">The disk refuses.</exception>
    public static void WriteFromSegment(SegmentSet segments, int id, int pageSizeBits, Func<ScannedEntry, bool>? isListed = null)
    {
        LogScanner scanner = new(segments, pageSizeBits);
        long start = segments.StartOf(id);
        List<TableRow> rows = [];
        using EntryReader reader = new(segments);
        foreach (ScannedEntry entry in scanner.Scan(start, start + segments.SegmentBytes))
        {
            if (entry.Header.Kind is EntryKind.Whole or EntryKind.Seal or EntryKind.Removed && isListed?.Invoke(entry) != false)
            {
                PartSpan parts = entry.Header.Kind == EntryKind.Seal
                    ? new PartSpan(segments, reader.ReadSeal(entry.Address, entry.Header.Key, entry.Header.ObjectLength))
                    : default;
                rows.Add(new TableRow(entry.Header.Key, entry.Header.ObjectLength, (uint)(entry.Address - start), entry.Header.Kind,
                    parts, entry.Header.Mark));
            }
        }

        if (scanner.UnreadablePages > 0)
        {
            throw new IOException($"{scanner.UnreadablePages} of its pages cannot be read: a table without their objects would lose them.");
        }

        Write(segments, id, CollectionsMarshal.AsSpan(rows));
        if (segments.TryGet(id, out Segment? segment))
        {
            segment.HasTable = true;
        }
    }

    public static void Write(SegmentSet segments, int id, ReadOnlySpan<TableRow> rows)
    {
        byte[] bytes = new byte[HeaderBytes + (rows.Length * TableRow.SizeBytes)];
        MemoryMarshal.AsBytes(rows).CopyTo(bytes.AsSpan(HeaderBytes));
        MemoryMarshal.Write(bytes, MagicNumber);
        MemoryMarshal.Write(bytes.AsSpan(4), id);
        MemoryMarshal.Write(bytes.AsSpan(8), rows.Length);
        MemoryMarshal.Write(bytes.AsSpan(16), XxHash3.HashToUInt64(bytes.AsSpan(HeaderBytes), id));
        MemoryMarshal.Write(bytes.AsSpan(24), XxHash3.HashToUInt64(bytes.AsSpan(0, 24)));
        string path = segments.TablePathOf(id);
        string temporary = path + ".new";
        using (SafeFileHandle file = segments.Disk.Open(temporary))
        {
            segments.Disk.Write(file, bytes, 0);
        }

        segments.Disk.Replace(temporary, path);
    }
}

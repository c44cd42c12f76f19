using System.IO.Hashing;
using System.Runtime.InteropServices;
using Breakwater.CacheStore.Disk;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Faster;

/// <summary>One line of a segment's table: what recovery needs to know of an entry. 48 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = SizeBytes)]
internal readonly struct TableRow(ObjectKey key, long objectLength, uint offset, EntryKind kind)
{
    public const int SizeBytes = 48;

    private readonly ObjectKey _key = key;
    private readonly long _objectLength = objectLength;
    private readonly uint _offset = offset;
    private readonly EntryKind _kind = kind;

    public ObjectKey Key => _key;

    public long ObjectLength => _objectLength;

    /// <summary>Offset of the entry in the segment.</summary>
    public uint Offset => _offset;

    public EntryKind Kind => _kind;
}

/// <summary>
/// The file beside a full segment that lists its objects, so that a start reads 48 bytes an object instead of hopping through the segment.
/// Only a shortcut: checksummed, and made again from the segment when it is missing or damaged.
/// </summary>
internal static class SegmentTable
{
    private const uint MagicNumber = 0x31545742; // "BWT1"
    private const int HeaderBytes = 32;

    /// <summary>Makes the table of a full segment by reading the segment's headers.</summary>
    public static void WriteFromSegment(SegmentSet segments, int id, int pageSizeBits)
    {
        LogScanner scanner = new(segments, pageSizeBits);
        long start = segments.StartOf(id);
        List<TableRow> rows = [];
        foreach (ScannedEntry entry in scanner.Scan(start, start + segments.SegmentBytes))
        {
            if (entry.Header.Kind is EntryKind.Whole or EntryKind.Seal or EntryKind.Removed)
            {
                rows.Add(new TableRow(entry.Header.Key, entry.Header.ObjectLength, (uint)(entry.Address - start), entry.Header.Kind));
            }
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

        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Reads a table. Null: missing or damaged.</summary>
    public static TableRow[]? TryRead(SegmentSet segments, int id)
    {
        string path = segments.TablePathOf(id);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using SafeFileHandle file = segments.Disk.Open(path);
            byte[] header = new byte[HeaderBytes];
            if (segments.Disk.ReadFully(file, header, 0) != HeaderBytes
                || MemoryMarshal.Read<uint>(header) != MagicNumber
                || MemoryMarshal.Read<int>(header.AsSpan(4)) != id
                || MemoryMarshal.Read<ulong>(header.AsSpan(24)) != XxHash3.HashToUInt64(header.AsSpan(0, 24)))
            {
                return null;
            }

            TableRow[] rows = GC.AllocateUninitializedArray<TableRow>(MemoryMarshal.Read<int>(header.AsSpan(8)));
            Span<byte> bytes = MemoryMarshal.AsBytes(rows.AsSpan());
            bool isRight = segments.Disk.ReadFully(file, bytes, HeaderBytes) == bytes.Length
                && MemoryMarshal.Read<ulong>(header.AsSpan(16)) == XxHash3.HashToUInt64(bytes, id);
            return isRight ? rows : null;
        }
        catch (IOException)
        {
            return null; // unreadable is as good as missing: the segment itself is read instead
        }
    }
}

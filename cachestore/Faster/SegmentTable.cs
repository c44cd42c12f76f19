using System.IO.Hashing;
using System.Runtime.InteropServices;
using Breakwater.CacheStore.Disk;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Faster;

/// <summary>One line of a segment's table: what recovery needs to know of an entry. 48 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = SizeBytes)]
internal readonly struct TableRow(ObjectKey key, long objectLength, uint offset, EntryKind kind, PartSpan parts)
{
    public const int SizeBytes = 48;

    private readonly ObjectKey _key = key;
    private readonly long _objectLength = objectLength;
    private readonly uint _offset = offset;
    private readonly EntryKind _kind = kind;
    private readonly PartSpan _parts = parts;

    public ObjectKey Key => _key;

    public long ObjectLength => _objectLength;

    /// <summary>Offset of the entry in the segment.</summary>
    public uint Offset => _offset;

    public EntryKind Kind => _kind;

    /// <summary>Of a seal: where its parts are.</summary>
    public PartSpan Parts => _parts;
}

/// <summary>Segments that a sealed object's parts lie in, so that a start does not read the seal. 8 bytes; all zero: not known.</summary>
[StructLayout(LayoutKind.Sequential, Size = 8)]
internal readonly struct PartSpan
{
    private readonly int _firstPlusOne;
    private readonly int _last;

    /// <summary>The span of some parts: the lowest and the highest segment.</summary>
    public PartSpan(SegmentSet segments, ReadOnlySpan<long> parts)
    {
        int first = int.MaxValue;
        foreach (long part in parts)
        {
            int id = segments.IdOf(part);
            first = Math.Min(first, id);
            _last = Math.Max(_last, id);
        }

        _firstPlusOne = parts.IsEmpty ? 0 : first + 1;
    }

    /// <summary>Are all segments from first to last there? False also when it is not known: there may be a gap that none of the parts is in.</summary>
    public bool IsWhollyIn(SegmentSet segments)
    {
        const int Most = 64; // parts in fresh and in kept segments: ask the seal
        int first = _firstPlusOne - 1;
        if (first < 0 || _last - first >= Most)
        {
            return false;
        }

        for (int id = first; id <= _last; id++)
        {
            if (!segments.TryGet(id, out _))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>
/// The file beside a full segment that lists its objects, so that a start reads 48 bytes an object instead of hopping through the segment.
/// Only a shortcut: checksummed, and made again from the segment when it is missing or damaged.
/// </summary>
internal static class SegmentTable
{
    public const uint MagicNumber = 0x31545742; // "BWT1"
    public const int HeaderBytes = 32;

    /// <summary>Makes the table of a full segment by reading the segment's headers.</summary>
    public static void WriteFromSegment(SegmentSet segments, int id, int pageSizeBits)
    {
        LogScanner scanner = new(segments, pageSizeBits);
        long start = segments.StartOf(id);
        List<TableRow> rows = [];
        using EntryReader reader = new(segments);
        foreach (ScannedEntry entry in scanner.Scan(start, start + segments.SegmentBytes))
        {
            if (entry.Header.Kind is EntryKind.Whole or EntryKind.Seal or EntryKind.Removed)
            {
                PartSpan parts = entry.Header.Kind == EntryKind.Seal
                    ? new PartSpan(segments, reader.ReadSeal(entry.Address, entry.Header.Key, entry.Header.ObjectLength))
                    : default;
                rows.Add(new TableRow(entry.Header.Key, entry.Header.ObjectLength, (uint)(entry.Address - start), entry.Header.Kind, parts));
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

        File.Move(temporary, path, overwrite: true);
    }
}

using System.IO.Hashing;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Log;

/// <summary>Reads one table after the other into the same memory. Not thread-safe.</summary>
internal sealed class TableReader(SegmentSet segments)
{
    private TableRow[] _rows = [];
    private int _count;

    /// <summary>The rows of the table that was read last.</summary>
    public ReadOnlySpan<TableRow> Rows => _rows.AsSpan(0, _count);

    /// <summary>Reads the table of a segment. False: missing, damaged or unreadable.</summary>
    public bool TryRead(int id)
    {
        _count = 0;
        string path = segments.TablePathOf(id);
        if (!segments.Disk.HasFile(path))
        {
            return false;
        }

        try
        {
            using SafeFileHandle file = segments.Disk.Open(path);
            Span<byte> header = stackalloc byte[SegmentTable.HeaderBytes];
            if (segments.Disk.ReadFully(file, header, 0) != header.Length
                || MemoryMarshal.Read<uint>(header) != SegmentTable.MagicNumber
                || MemoryMarshal.Read<int>(header[4..]) != id
                || MemoryMarshal.Read<ulong>(header[24..]) != XxHash3.HashToUInt64(header[..24]))
            {
                return false;
            }

            int count = MemoryMarshal.Read<int>(header[8..]);
            if (_rows.Length < count)
            {
                _rows = GC.AllocateUninitializedArray<TableRow>(Math.Max(count, 2 * _rows.Length));
            }

            Span<byte> bytes = MemoryMarshal.AsBytes(_rows.AsSpan(0, count));
            if (segments.Disk.ReadFully(file, bytes, header.Length) != bytes.Length
                || MemoryMarshal.Read<ulong>(header[16..]) != XxHash3.HashToUInt64(bytes, id))
            {
                return false;
            }

            _count = count;
            return true;
        }
        catch (IOException)
        {
            return false; // unreadable is as good as missing: the segment itself is read instead
        }
    }
}

using System.Runtime.InteropServices;

namespace Breakwater.CacheStore.Log;

/// <summary>One line of a segment's table: what recovery needs to know of an entry. 48 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = SizeBytes)]
internal readonly struct TableRow(ObjectKey key, long objectLength, uint offset, EntryKind kind, PartSpan parts, ushort mark = 0)
{
    public const int SizeBytes = 48;

    private readonly ObjectKey _key = key;
    private readonly long _objectLength = objectLength;
    private readonly uint _offset = offset;
    private readonly EntryKind _kind = kind;
    private readonly ushort _mark = mark; // behind a byte of 0
    private readonly PartSpan _parts = parts;

    public ObjectKey Key => _key;

    public long ObjectLength => _objectLength;

    /// <summary>Offset of the entry in the segment.</summary>
    public uint Offset => _offset;

    public EntryKind Kind => _kind;

    /// <summary>Whose it is; 0: nobody's.</summary>
    public ushort Mark => _mark;

    /// <summary>Of a seal: where its parts are.</summary>
    public PartSpan Parts => _parts;
}

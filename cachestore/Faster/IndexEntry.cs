using System.Runtime.InteropServices;

namespace Breakwater.CacheStore.Faster;

/// <summary>Where an object is. 24 bytes, blittable: FASTER copies it.</summary>
[StructLayout(LayoutKind.Sequential, Size = 24)]
internal readonly struct IndexEntry(long address, long length, bool isSealed, uint ordinal)
{
    private readonly long _address = address;
    private readonly long _length = length;
    private readonly uint _ordinal = ordinal;
    private readonly byte _isSealed = isSealed ? (byte)1 : (byte)0;

    /// <summary>Address of the entry that holds the object (<see cref="EntryKind.Whole"/>) or lists its parts (<see cref="EntryKind.Seal"/>).</summary>
    public long Address => _address;

    /// <summary>Length of the object in bytes.</summary>
    public long Length => _length;

    /// <summary>Several parts, listed by a seal?</summary>
    public bool IsSealed => _isSealed != 0;

    /// <summary>Number of the entry in its segment (<see cref="Segment.AddEntry"/>), for this process only.</summary>
    public uint Ordinal => _ordinal;
}

using System.Diagnostics;
using System.Runtime.InteropServices;
using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Index;

/// <summary>Where an object is. 16 bytes, blittable: FASTER copies it.</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal readonly struct IndexEntry
{
    /// <summary>Entries of a segment are numbered below: a segment of 256 MiB holds fewer than 2^22.</summary>
    private const int OrdinalBits = 23;

    /// <summary>Objects are shorter than 2^40 bytes.</summary>
    private const int LengthBits = 40;

    /// <summary>Addresses are below: segments are numbered below 2^31, and have at most 2^28 bytes.</summary>
    private const int AddressBits = 59;

    private readonly ulong _addressAndSeal; // the address is a multiple of 4: its lowest bit has room for the seal, the owner is above it
    private readonly ulong _lengthAndOrdinal;

    /// <summary>Describes a place.</summary>
    /// <param name="address">Of the entry, a multiple of 4.</param>
    /// <param name="length">Of the object, bytes, below <see cref="LengthLimit"/>.</param>
    /// <param name="isSealed">Is it a list of parts?</param>
    /// <param name="ordinal">Number of the entry in its segment.</param>
    /// <param name="owner">On whose account it goes (<see cref="Quotas.StoreShares"/>); 0: nobody's.</param>
    public IndexEntry(long address, long length, bool isSealed, uint ordinal, int owner = 0)
    {
        Debug.Assert((address & 3) == 0 && address >> AddressBits == 0 && owner >> (64 - AddressBits) == 0
            && length is >= 0 and < LengthLimit && ordinal < 1u << OrdinalBits,
            "an entry that does not fit into the index");
        _addressAndSeal = (ulong)address | (isSealed ? 1UL : 0) | ((ulong)owner << AddressBits);
        _lengthAndOrdinal = ((ulong)length << (64 - LengthBits)) | ordinal;
    }

    /// <summary>Objects are shorter: 1 TiB.</summary>
    public const long LengthLimit = 1L << LengthBits;

    /// <summary>
    /// Address of the entry that holds the object (<see cref="EntryKind.Whole"/>) or lists its parts (<see cref="EntryKind.Seal"/>).
    /// </summary>
    public long Address => (long)(_addressAndSeal & ((1UL << AddressBits) - 4));

    /// <summary>Length of the object in bytes.</summary>
    public long Length => (long)(_lengthAndOrdinal >> (64 - LengthBits));

    /// <summary>Several parts, listed by a seal?</summary>
    public bool IsSealed => (_addressAndSeal & 1) != 0;

    /// <summary>On whose account it goes; 0: nobody's.</summary>
    public int Owner => (int)(_addressAndSeal >> AddressBits);

    /// <summary>Number of the entry in its segment (<see cref="Segment.AddEntry"/>), for this process only.</summary>
    public uint Ordinal => (uint)(_lengthAndOrdinal & ((1UL << OrdinalBits) - 1));
}

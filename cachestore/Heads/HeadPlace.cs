namespace Breakwater.CacheStore.Heads;

/// <summary>Where a head is, in 8 bytes: a million of them are in memory.</summary>
/// <param name="Bits">Address divided by 4 (47 bits), length in units of <see cref="UnitBytes"/> (16), used (1).</param>
internal readonly record struct HeadPlace(ulong Bits)
{
    private const int UnitBytes = 64;
    private const int UnitBits = 16;
    private const ulong UsedBit = 1;

    /// <summary>Describes a place.</summary>
    /// <param name="address">Of the entry, a multiple of 4.</param>
    /// <param name="payloadLength">Below 4 MiB.</param>
    public HeadPlace(long address, long payloadLength)
        : this(((ulong)address >> 2 << (UnitBits + 1)) | ((ulong)((payloadLength + UnitBytes - 1) / UnitBytes) << 1))
    {
    }

    /// <summary>Of the entry.</summary>
    public long Address => (long)(Bits >> (UnitBits + 1) << 2);

    /// <summary>At least the length of the entry's payload, and less than a unit more.</summary>
    public int MostPayloadBytes => (int)((Bits >> 1) & ((1UL << UnitBits) - 1)) * UnitBytes;

    /// <summary>Was it asked for since it was put there?</summary>
    public bool IsUsed => (Bits & UsedBit) != 0;

    /// <summary>The same place, asked for.</summary>
    public HeadPlace Used => new(Bits | UsedBit);
}

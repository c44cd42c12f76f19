using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Breakwater.CacheStore.Log;

/// <summary>
/// The 64 bytes before the payload of each entry; little-endian, described in docs/develop/store-format.md. Whoever reads an entry checks
/// <see cref="IsValid"/>, the key, and the payload's checksum (of long parts not each time: <see cref="Segment.Generation"/>).
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = SizeBytes)]
internal struct EntryHeader
{
    /// <summary>Length of the header.</summary>
    public const int SizeBytes = 64;

    /// <summary>Version of the format of entries.</summary>
    public const byte CurrentVersion = 1;

    private const uint MagicNumber = 0x31455742; // "BWE1"

    private readonly uint _magic;
    private readonly EntryKind _kind;
    private readonly byte _version;
    private readonly ushort _mark;
    private readonly ObjectKey _key;
    private readonly long _objectLength;
    private readonly int _part;
    private readonly int _payloadLength;
    private readonly ulong _payloadChecksum;
    private readonly ulong _headerChecksum;

    /// <summary>Describes a payload.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="key">The object it belongs to.</param>
    /// <param name="objectLength">Length of the whole object, 0 when it is not known yet.</param>
    /// <param name="part">Number of the part, from 0.</param>
    /// <param name="payload">The bytes that follow the header.</param>
    /// <param name="mark">Whose it is (<see cref="Quotas.StoreShare.Mark"/>); 0: nobody's.</param>
    public EntryHeader(EntryKind kind, in ObjectKey key, long objectLength, int part, ReadOnlySpan<byte> payload, ushort mark = 0)
    {
        _magic = MagicNumber;
        _kind = kind;
        _version = CurrentVersion;
        _mark = mark;
        _key = key;
        _objectLength = objectLength;
        _part = part;
        _payloadLength = payload.Length;
        _payloadChecksum = XxHash3.HashToUInt64(payload);
        _headerChecksum = ComputeChecksum();
    }

    public readonly EntryKind Kind => _kind;

    /// <summary>Whose it is; 0: nobody's.</summary>
    public readonly ushort Mark => _mark;

    public readonly ObjectKey Key => _key;

    public readonly long ObjectLength => _objectLength;

    public readonly int Part => _part;

    public readonly int PayloadLength => _payloadLength;

    /// <summary>Is it a header of this version, undamaged?</summary>
    public readonly bool IsValid =>
        _magic == MagicNumber && _version == CurrentVersion && _payloadLength >= 0 && _headerChecksum == ComputeChecksum();

    /// <summary>Has the payload the checksum that the header names?</summary>
    public readonly bool Matches(ReadOnlySpan<byte> payload) =>
        payload.Length == _payloadLength && XxHash3.HashToUInt64(payload) == _payloadChecksum;

    /// <summary>What is wrong with an entry that should be a certain one; null: nothing.</summary>
    /// <param name="entry">Header and payload.</param>
    /// <param name="kind">What it should be.</param>
    /// <param name="key">Of the object that it should belong to.</param>
    /// <param name="part">The number of the part that it should be.</param>
    public static string? WhatIsWrong(ReadOnlySpan<byte> entry, EntryKind kind, in ObjectKey key, int part)
    {
        EntryHeader header = Read(entry);
        if (!header.IsValid || header.Kind != kind || header.Key != key || header.Part != part)
        {
            return "another entry is in its place";
        }

        return header.Matches(entry[SizeBytes..]) ? null : "its bytes do not have their checksum";
    }

    /// <summary>Reads a header from its bytes.</summary>
    public static EntryHeader Read(ReadOnlySpan<byte> bytes) => MemoryMarshal.Read<EntryHeader>(bytes);

    /// <summary>Writes the header's bytes.</summary>
    public readonly void Write(Span<byte> destination) => MemoryMarshal.Write(destination, in this);

    private readonly ulong ComputeChecksum()
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(in this, 1));
        return XxHash3.HashToUInt64(bytes[..(SizeBytes - sizeof(ulong))]);
    }
}

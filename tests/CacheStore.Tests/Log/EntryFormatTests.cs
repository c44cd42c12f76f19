using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Tests.Log;

/// <summary>Entries, their headers and the tables beside segments, to the byte.</summary>
public sealed class EntryFormatTests : IDisposable
{
    private static readonly ObjectKey s_key = TestObjects.KeyOf([1], kind: ObjectKind.Catalog);
    private readonly TemporaryDirectory _directory = new();
    private readonly SegmentSet _segments;

    public EntryFormatTests() => _segments = new SegmentSet(Path.Combine(_directory.Path, "objects"), 16, new StoreDisk());

    public void Dispose()
    {
        _segments.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Header_OfAPart_IsReadBackAndAnyDamageIsSeen()
    {
        byte[] payload = TestObjects.Bytes(1, 100);
        byte[] entry = new byte[EntryHeader.SizeBytes + 100];
        payload.CopyTo(entry, EntryHeader.SizeBytes);
        new EntryHeader(EntryKind.Part, s_key, 600_000, 2, payload, mark: 77).Write(entry);
        EntryHeader header = EntryHeader.Read(entry);
        Assert.Equal((EntryKind.Part, s_key, 600_000L), (header.Kind, header.Key, header.ObjectLength));
        Assert.Equal((2, 100, 77), (header.Part, header.PayloadLength, header.Mark));
        Assert.True(header.IsValid);
        Assert.True(header.Matches(payload));
        Assert.False(header.Matches(payload.AsSpan(1)));
        Assert.False(header.Matches([.. payload, 0]));
        Assert.Null(EntryHeader.WhatIsWrong(entry, EntryKind.Part, s_key, 2));
        const string Another = "another entry is in its place";
        Assert.Equal(Another, EntryHeader.WhatIsWrong(entry, EntryKind.Whole, s_key, 2));
        Assert.Equal(Another, EntryHeader.WhatIsWrong(entry, EntryKind.Part, TestObjects.KeyOf([2]), 2));
        Assert.Equal(Another, EntryHeader.WhatIsWrong(entry, EntryKind.Part, s_key, 1));
        for (int at = 0; at < entry.Length; at++)
        {
            byte[] damaged = [.. entry];
            damaged[at] ^= 0x80;
            Assert.Equal(at >= EntryHeader.SizeBytes, EntryHeader.Read(damaged).IsValid);
            Assert.Equal(
                at < EntryHeader.SizeBytes ? Another : "its bytes do not have their checksum",
                EntryHeader.WhatIsWrong(damaged, EntryKind.Part, s_key, 2));
        }
    }

    /// <summary>What another program, or a later version, wrote: its checksum is right.</summary>
    [Theory]
    [InlineData(0, false)] // the magic number
    [InlineData(5, false)] // the version
    [InlineData(6, true)] // the mark
    public void Header_OfAnotherFormat_IsNoneThoughItsChecksumIsRight(int at, bool isValid)
    {
        byte[] entry = new byte[EntryHeader.SizeBytes];
        new EntryHeader(EntryKind.Whole, s_key, 0, 0, []).Write(entry);
        entry[at]++;
        Span<byte> checkedBytes = entry.AsSpan(0, EntryHeader.SizeBytes - sizeof(ulong));
        BinaryPrimitives.WriteUInt64LittleEndian(entry.AsSpan(checkedBytes.Length), XxHash3.HashToUInt64(checkedBytes));

        Assert.Equal(isValid, EntryHeader.Read(entry).IsValid);
    }

    [Fact]
    public void Seal_OfParts_ListsThem()
    {
        long[] parts = [4, 1L << 40, 0];
        byte[] seal = Entries.Seal(s_key, 600_000, parts, mark: 5);
        EntryHeader header = EntryHeader.Read(seal);
        Assert.Equal(EntryHeader.SizeBytes + 24, seal.Length);
        Assert.Equal((EntryKind.Seal, s_key, 600_000L, 3, 24, 5), (
            header.Kind, header.Key, header.ObjectLength, header.Part, header.PayloadLength, header.Mark));
        Assert.True(header.Matches(seal.AsSpan(EntryHeader.SizeBytes)));
        Assert.Equal(parts, MemoryMarshal.Cast<byte, long>(seal.AsSpan(EntryHeader.SizeBytes)).ToArray());
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(PartSize.Full, 1, PartSize.Full)]
    [InlineData(PartSize.Full + 1, 2, 1)]
    [InlineData((2 * PartSize.Full) - 1, 2, PartSize.Full - 1)]
    [InlineData(1L << 39, 1 << 21, PartSize.Full)]
    public void Parts_OfALength_AreFullButTheLast(long length, int parts, int last)
    {
        Assert.Equal(256 << 10, PartSize.Full);
        Assert.Equal(parts, PartSize.CountOf(length));
        Assert.Equal(last, PartSize.Of(length, parts - 1));
        Assert.Equal(parts > 1 ? PartSize.Full : last, PartSize.Of(length, 0));
        Assert.Equal(8 * parts, EntryReader.SealBytes(length));
    }

    [Fact]
    public void Table_OfASegment_IsReadBackAndAnyDamageIsSeen()
    {
        TableRow[] rows = [.. Enumerable.Range(0, 5).Select(i => new TableRow(
            TestObjects.KeyOf([(byte)i]), 1L << (30 + i), 0x80000000u + (uint)i, (EntryKind)(1 + (i % 4)), default, (ushort)(60_000 + i)))];
        TableReader reader = new(_segments);
        Assert.False(reader.TryRead(3));
        SegmentTable.Write(_segments, 3, rows);
        SegmentTable.Write(_segments, 4, rows.AsSpan(0, 1));
        SegmentTable.Write(_segments, 5, []);
        Assert.True(reader.TryRead(4));
        Assert.Equal([rows[0].Key], reader.Rows.ToArray().Select(row => row.Key));
        Assert.True(reader.TryRead(3));
        Assert.Equal(
            rows.Select(row => (row.Key, row.ObjectLength, row.Offset, row.Kind, row.Mark)),
            reader.Rows.ToArray().Select(row => (row.Key, row.ObjectLength, row.Offset, row.Kind, row.Mark)));
        Assert.True(reader.TryRead(5));
        Assert.True(reader.Rows.IsEmpty);

        byte[] table = File.ReadAllBytes(_segments.TablePathOf(3));
        Assert.Equal(32 + (5 * 48), table.Length);
        for (int at = 0; at < table.Length; at++)
        {
            byte[] damaged = [.. table];
            damaged[at] ^= 1;
            File.WriteAllBytes(_segments.TablePathOf(3), damaged);
            Assert.False(reader.TryRead(3), $"byte {at}");
            Assert.True(reader.Rows.IsEmpty);
        }

        File.WriteAllBytes(_segments.TablePathOf(3), table[..^1]);
        Assert.False(reader.TryRead(3));
        File.WriteAllBytes(_segments.TablePathOf(3), table[..31]);
        Assert.False(reader.TryRead(3));
        File.WriteAllBytes(_segments.TablePathOf(4), table); // of another segment
        Assert.False(reader.TryRead(4));
        File.WriteAllBytes(_segments.TablePathOf(3), table);
        Assert.True(reader.TryRead(3));
    }

    [Fact]
    public void Span_OfParts_IsThereWithAllItsSegments()
    {
        for (int id = 2; id < 70; id++)
        {
            _segments.GetOrCreate(id);
        }

        Assert.True(SpanOf(2, 5, 3).IsWhollyIn(_segments));
        Assert.True(SpanOf(69).IsWhollyIn(_segments));
        Assert.False(SpanOf(1, 5).IsWhollyIn(_segments));
        Assert.False(SpanOf(5, 70).IsWhollyIn(_segments));
        Assert.True(SpanOf(2, 65).IsWhollyIn(_segments));
        Assert.False(SpanOf(2, 66).IsWhollyIn(_segments)); // too far apart to be looked at
        Assert.False(SpanOf().IsWhollyIn(_segments));
        Assert.False(default(PartSpan).IsWhollyIn(_segments));
        Assert.Equal(8, Marshal.SizeOf<PartSpan>());
    }

    private PartSpan SpanOf(params int[] ids) => new(_segments, [.. ids.Select(id => _segments.StartOf(id) + 64)]);
}

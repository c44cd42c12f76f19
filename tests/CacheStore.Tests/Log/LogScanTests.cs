using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Log;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.CacheStore.Tests.Log;

/// <summary>A log of many pages and segments, read as a start, the cleaner and the scrubber read it.</summary>
public sealed class LogScanTests : IAsyncLifetime
{
    private const int PageBits = 16, SegmentBits = 18;
    private static readonly LogGeometry s_geometry = new(PageBits, PageBits + 2, SegmentBits);
    private readonly TemporaryDirectory _directory = new();
    private readonly HookedDisk _disk = new();
    private readonly DiskHealth _health = new(TimeProvider.System, NullLogger.Instance);
    private readonly List<(long Address, int Length)> _entries = [];
    private BlobLog _log = null!;

    public async Task InitializeAsync()
    {
        _log = BlobLog.Open(_directory.Path, s_geometry, _disk, _health, out CommittedRange range);
        Assert.Equal(new CommittedRange(BlobLog.FirstAddress, BlobLog.FirstAddress, PageBits, SegmentBits), range);
        for (int i = 0; i < 60; i++)
        {
            await AppendAsync(1 + (i * 7919 % 20_000));
        }

        await _log.CommitAsync().InTimeAsync();
    }

    public Task DisposeAsync()
    {
        _log.Dispose();
        _health.Dispose();
        _directory.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public void Scan_OfTheLog_FindsEveryEntryOnce()
    {
        Assert.True(_log.Segments.FreshIds.Count >= 2);
        LogScanner scanner = new(_log.Segments, PageBits);
        Assert.Equal(
            _entries,
            scanner.Scan(_log.BeginAddress, _log.CommittedUntilAddress).Select(found => (found.Address, found.Header.PayloadLength)));
        Assert.Equal((0, 0, 0), (scanner.DamagedPages, scanner.UnreadablePages, scanner.MissingSegments));
        Assert.Empty(scanner.Scan(_entries[5].Address, _entries[5].Address));
        Assert.All(_entries.Zip(_entries.Skip(1)), pair => Assert.True(
            pair.Second.Address == pair.First.Address + BlobLog.SizeOf(pair.First.Length)
            || pair.Second.Address % (1 << PageBits) == 0));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(-1, 0)]
    public void Scan_UpToAnEntrysEnd_HasIt(int difference, int expected)
    {
        (long address, int length) = _entries[4];
        LogScanner scanner = new(_log.Segments, PageBits);
        Assert.Equal(expected, scanner.Scan(address, address + BlobLog.SizeOf(length) + difference).Count());
    }

    [Fact]
    public void Scan_OverADamagedHeader_GoesOnWithTheNextPage()
    {
        int at = _entries.FindIndex(entry => entry.Address >> PageBits == 2);
        long page = _entries[at + 1].Address >> PageBits;
        Change(_entries[at + 1].Address + BlobLog.LengthPrefixBytes + 20);
        LogScanner scanner = new(_log.Segments, PageBits);
        Assert.Equal(
            _entries.Where((entry, i) => entry.Address >> PageBits != page || i <= at).Select(entry => entry.Address),
            scanner.Scan(_log.BeginAddress, _log.CommittedUntilAddress).Select(found => found.Address));
        Assert.Equal((1, 0, 0), (scanner.DamagedPages, scanner.UnreadablePages, scanner.MissingSegments));
    }

    [Fact]
    public void Scan_WithoutASegment_CountsItAndGoesOn()
    {
        _log.Segments.Remove(0);
        LogScanner scanner = new(_log.Segments, PageBits);
        Assert.Equal(
            _entries.Where(entry => entry.Address >> SegmentBits > 0).Select(entry => entry.Address),
            scanner.Scan(_log.BeginAddress, _log.CommittedUntilAddress).Select(found => found.Address));
        Assert.Equal((0, 0, 1), (scanner.DamagedPages, scanner.UnreadablePages, scanner.MissingSegments));
    }

    [Fact]
    public void Scan_OfWhatCannotBeRead_CountsItsPages()
    {
        string first = _log.Segments.PathOf(0);
        _disk.ReadFault = path => path == first;
        LogScanner scanner = new(_log.Segments, PageBits);
        Assert.Equal(
            _entries.Where(entry => entry.Address >> SegmentBits > 0).Select(entry => entry.Address),
            scanner.Scan(_log.BeginAddress, _log.CommittedUntilAddress).Select(found => found.Address));
        Assert.Equal((0, 1 << (SegmentBits - PageBits), 0), (scanner.DamagedPages, scanner.UnreadablePages, scanner.MissingSegments));
    }

    [Fact]
    public void Reader_OfAnEntry_GivesItWholeOrNothing()
    {
        using EntryReader reader = new(_log.Segments);
        (long address, int length) = _entries[7];
        for (int i = 0; i < 2; i++)
        {
            _disk.IsCold = i == 1; // from memory, then from the disk
            ReadOnlySpan<byte> entry = reader.Read(address, length);
            Assert.Equal(EntryHeader.SizeBytes + length, entry.Length);
            Assert.Null(EntryHeader.WhatIsWrong(entry, EntryKind.Whole, KeyOf(length), 0));
            Assert.True(reader.Read(address, length - 1).IsEmpty);
            Assert.True(reader.Read(address, length + 1).IsEmpty);
            Assert.True(reader.Read(address + 4, length).IsEmpty);
            Assert.True(reader.Read(_log.Segments.StartOf(99), length).IsEmpty);
        }

        Change(address + BlobLog.EntryOverheadBytes + length - 1);
        Assert.True(reader.Read(address, length).IsEmpty);
        _disk.ReadFault = _ => true;
        Assert.True(reader.Read(_entries[8].Address, _entries[8].Length).IsEmpty);
    }

    [Fact]
    public async Task Reader_OfASeal_TellsItsPartsAndNoOthers()
    {
        ObjectKey key = TestObjects.KeyOf([9]);
        long[] parts = [128, 1 << 20, 1 << 21];
        const long Length = (2 * PartSize.Full) + 1;
        byte[] seal = Entries.Seal(key, Length, parts, mark: 3);
        Assert.True(_log.TryAppend(EntryHeader.Read(seal), seal.AsMemory(EntryHeader.SizeBytes), out long address));
        await _log.CommitAsync().InTimeAsync();
        using EntryReader reader = new(_log.Segments);
        Assert.Equal(parts, reader.ReadSeal(address, key, Length));
        Assert.Null(reader.ReadSeal(address, TestObjects.KeyOf([8]), Length));
        Assert.Null(reader.ReadSeal(address, key, Length + 1));
        Assert.Null(reader.ReadSeal(address, key, Length + PartSize.Full));
        Assert.Null(reader.ReadSeal(_entries[3].Address, KeyOf(_entries[3].Length), Length));
    }

    /// <summary>What is given up is there until it is committed, and its files until they are removed.</summary>
    [Fact]
    public async Task Truncated_Segments_GoOnceThatIsCommitted()
    {
        long second = _log.Segments.StartOf(1);
        _log.TruncateUntil(second);
        Assert.Equal((second, BlobLog.FirstAddress), (_log.BeginAddress, _log.DurableBeginAddress));
        _log.RemoveGivenUp();
        Assert.Equal(0, _log.Segments.FreshIds[0]);
        await _log.CommitAsync().InTimeAsync();
        Assert.Equal(second, _log.DurableBeginAddress);
        _log.RemoveGivenUp();
        Assert.Equal(1, _log.Segments.FreshIds[0]);
        Assert.False(File.Exists(_log.Segments.PathOf(0)));
        Assert.True(File.Exists(_log.Segments.PathOf(1)));
    }

    [Fact]
    public async Task Log_OpenedAgain_GoesOnInTheNextPage()
    {
        long tail = _log.TailAddress;
        Assert.Equal(tail, _log.CommittedUntilAddress);
        _log.Dispose();
        LogGeometry other = new(PageBits + 1, PageBits + 3, SegmentBits + 1); // an existing log keeps its own
        _log = BlobLog.Open(_directory.Path, other, _disk, _health, out CommittedRange range);
        Assert.Equal(new CommittedRange(BlobLog.FirstAddress, tail, PageBits, SegmentBits), range);
        Assert.Equal((PageBits, SegmentBits), (_log.Geometry.PageSizeBits, _log.Geometry.SegmentSizeBits));
        long page = 1L << PageBits;
        Assert.Equal((tail + page - 1) / page * page, _log.TailAddress);
        await AppendAsync(100);
        await _log.CommitAsync().InTimeAsync();
        LogScanner scanner = new(_log.Segments, PageBits);
        Assert.Equal(
            _entries.Select(entry => entry.Address),
            scanner.Scan(_log.BeginAddress, _log.CommittedUntilAddress).Select(found => found.Address));
        Assert.Equal(0, scanner.DamagedPages);
    }

    /// <summary>Without its record a log is what its files are.</summary>
    [Fact]
    public void Log_WithoutItsCommits_IsAllThatItsFilesHave()
    {
        int last = _log.Segments.FreshIds[^1];
        _log.Dispose();
        File.Delete(CommitRecord.PathIn(_directory.Path));
        long bytes = new FileInfo(Path.Combine(_directory.Path, SegmentSet.FileName(last))).Length;
        _log = BlobLog.Open(_directory.Path, s_geometry, _disk, _health, out CommittedRange range);
        Assert.Equal(
            new CommittedRange(BlobLog.FirstAddress, ((long)last << SegmentBits) + bytes, PageBits, SegmentBits), range);
        LogScanner scanner = new(_log.Segments, PageBits);
        Assert.Equal(
            _entries.Select(entry => entry.Address), scanner.Scan(range.BeginAddress, range.UntilAddress).Select(found => found.Address));
    }

    [Theory]
    [InlineData(0, 68)]
    [InlineData(1, 72)]
    [InlineData(4, 72)]
    [InlineData(5, 76)]
    public void SizeOf_APayload_IsAMultipleOfFour(int payload, long expected) => Assert.Equal(expected, BlobLog.SizeOf(payload));

    private static ObjectKey KeyOf(int length) => TestObjects.KeyOf(BitConverter.GetBytes(length));

    private async Task AppendAsync(int length)
    {
        byte[] payload = TestObjects.Bytes(length, length);
        EntryHeader header = new(EntryKind.Whole, KeyOf(length), length, 0, payload);
        if (!_log.TryAppend(header, payload, out long address))
        {
            address = await _log.AppendAsync(header, payload, CancellationToken.None).AsTask().InTimeAsync();
        }

        _entries.Add((address, length));
    }

    private void Change(long address)
    {
        using FileStream file = new(
            _log.Segments.PathOf(_log.Segments.IdOf(address)), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        file.Position = _log.Segments.OffsetOf(address);
        int found = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(found ^ 1));
    }
}

using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Tests.Log;

/// <summary>What the cleaner keeps, in segments of its own that are read as any other.</summary>
public sealed class KeptWriterTests : IDisposable
{
    private const int PageBits = 16, SegmentBits = 18;
    private const int First = SegmentSet.FirstKeptId;

    private readonly TemporaryDirectory _directory = new();
    private readonly SegmentSet _segments;
    private readonly KeptWriter _kept;

    public KeptWriterTests()
    {
        _segments = new SegmentSet(_directory.Path, SegmentBits, new StoreDisk());
        _kept = new KeptWriter(_segments, PageBits);
    }

    public void Dispose()
    {
        _segments.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Entries_OfAnyLength_CrossNoPageAndAreFoundInTheirOrder()
    {
        List<long> addresses = [];
        Assert.Equal((0L, -1), (_kept.RoomBytes, _kept.CurrentId));
        for (int i = 0; i < 90; i++)
        {
            int length = i * 7919 % 20_000;
            long at = _kept.Append(Entry(length));
            Assert.InRange((at & ((1 << PageBits) - 1)) + BlobLog.SizeOf(length), 1, 1 << PageBits);
            Assert.Equal(_kept.CurrentId, _segments.IdOf(at));
            Assert.Equal((1 << SegmentBits) - _segments.OffsetOf(at) - BlobLog.SizeOf(length), _kept.RoomBytes);
            addresses.Add(at);
        }

        _kept.Flush();

        Assert.Equal([First, First + 1, First + 2, First + 3], addresses.Select(_segments.IdOf).Distinct());
        Assert.Equal(addresses.Select(_segments.IdOf).Distinct(), _segments.KeptIds);
        LogScanner scanner = new(_segments, PageBits);
        Assert.Equal(addresses, _segments.KeptIds.SelectMany(
            id => scanner.Scan(_segments.StartOf(id), _segments.StartOf(id + 1))).Select(static found => found.Address));
        Assert.Equal(0, scanner.DamagedPages);
        using EntryReader reader = new(_segments);
        Assert.All(addresses.Index(), one => Assert.False(reader.Read(one.Item, one.Index * 7919 % 20_000).IsEmpty));
    }

    /// <summary>To the byte: an entry goes into what is left of a page, or begins the next one.</summary>
    [Theory]
    [InlineData(0, 0, 1 << PageBits)]
    [InlineData(64, 0, 1 << PageBits)]
    [InlineData(68, 0, (1 << PageBits) - 68)]
    [InlineData(68, 1, 1 << PageBits)]
    [InlineData(72, 1, (1 << PageBits) - 72)]
    public void Entry_WhereSoManyBytesOfAPageAreLeft_IsThereOrInTheNext(int left, int length, long expected)
    {
        Assert.Equal(0, _segments.OffsetOf(_kept.Append(Entry((1 << PageBits) - BlobLog.EntryOverheadBytes - left))));
        Assert.Equal(expected, _segments.OffsetOf(_kept.Append(Entry(length))));
    }

    [Fact]
    public void Segment_ThatIsGivenUp_IsFollowedByAnother()
    {
        Assert.Equal(First, _segments.IdOf(_kept.Append(Entry(100))));
        _kept.Abandon();
        Assert.Equal((0L, -1), (_kept.RoomBytes, _kept.CurrentId));
        long at = _kept.Append(Entry(200));
        Assert.Equal((First + 1, 0L), (_segments.IdOf(at), _segments.OffsetOf(at)));
        _kept.Flush();

        KeptWriter later = new(_segments, PageBits); // of the next start
        Assert.Equal(First + 2, _segments.IdOf(later.Append(Entry(300))));
        using EntryReader reader = new(_segments);
        Assert.False(reader.Read(at, 200).IsEmpty);
        Assert.True(reader.Read(_segments.StartOf(First), 100).IsEmpty); // void
    }

    private static byte[] Entry(int length)
    {
        byte[] payload = TestObjects.Bytes(length, length);
        byte[] entry = new byte[EntryHeader.SizeBytes + length];
        new EntryHeader(EntryKind.Whole, TestObjects.KeyOf(payload), length, 0, payload).Write(entry);
        payload.CopyTo(entry, EntryHeader.SizeBytes);
        return entry;
    }
}

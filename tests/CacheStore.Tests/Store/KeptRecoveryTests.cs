using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Store;

namespace Breakwater.CacheStore.Tests.Store;

/// <summary>What a crash of the cleaner leaves in a kept segment: torn copies of objects that are whole in another place.</summary>
public sealed class KeptRecoveryTests : IDisposable
{
    private const int Short = 100_000;
    private const int Long = 600_000;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private string Objects => Path.Combine(_directory.Path, "objects");

    [Theory]
    [InlineData(Short)]
    [InlineData(Long)]
    public async Task Copy_OfWhichHalfIsMissing_DoesNotStandInForTheWholeObject(int length)
    {
        (ObjectKey key, byte[] bytes) = await StoreAsync(length);
        Copy(key, bytes, keepsOriginal: true, isTorn: true);

        await AssertThereAsync(key, bytes);
        await AssertThereAsync(key, bytes); // and when the segment has got its table
        Assert.Single(Directory.GetFiles(Objects, "kept-*.tab"));
    }

    [Theory]
    [InlineData(Short)]
    [InlineData(Long)]
    public async Task Copy_WhoseObjectIsNowhereElse_Counts(int length)
    {
        (ObjectKey key, byte[] bytes) = await StoreAsync(length);
        Copy(key, bytes, keepsOriginal: false, isTorn: false);

        await AssertThereAsync(key, bytes);
        await AssertThereAsync(key, bytes);
    }

    [Fact]
    public async Task Copy_OfWhichHalfIsMissingAndNoOtherIsThere_IsAMiss()
    {
        (ObjectKey key, byte[] bytes) = await StoreAsync(Long);
        Copy(key, bytes, keepsOriginal: false, isTorn: true);

        await using FasterObjectStore store = await OpenAsync();
        Assert.False(store.Contains(key));
        Assert.Equal(CommitResult.Committed, await store.WriteAsync(key, bytes));
        Assert.Equal(bytes, await store.ReadAsync(key));
    }

    [Fact]
    public async Task Copies_OfWhichTheFirstIsTornAfterAFailure_TheLaterOneCounts()
    {
        (ObjectKey key, byte[] bytes) = await StoreAsync(Short);
        Copy(key, bytes, keepsOriginal: true, isTorn: true);
        Copy(key, bytes, keepsOriginal: false, isTorn: false);

        await AssertThereAsync(key, bytes);
    }

    private async Task<(ObjectKey Key, byte[] Bytes)> StoreAsync(int length)
    {
        byte[] bytes = TestObjects.Bytes(1, length);
        ObjectKey key = TestObjects.KeyOf(bytes);
        await using FasterObjectStore store = await OpenAsync();
        Assert.Equal(CommitResult.Committed, await store.WriteAsync(key, bytes));
        return (key, bytes);
    }

    /// <summary>Does what the cleaner does until the power fails: the next kept segment has a copy.</summary>
    private void Copy(ObjectKey key, byte[] bytes, bool keepsOriginal, bool isTorn)
    {
        StoreDisk disk = new();
        Assert.True(CommitRecord.TryRead(Objects, disk, out CommittedRange committed));
        using SegmentSet segments = new(Objects, committed.SegmentSizeBits, disk);
        KeptWriter kept = new(segments, committed.PageSizeBits);
        long last = -1;
        if (bytes.Length <= PartSize.Full)
        {
            last = kept.Append(Whole(new EntryHeader(EntryKind.Whole, key, bytes.Length, 0, bytes), bytes));
        }
        else
        {
            long[] parts = new long[PartSize.CountOf(bytes.Length)];
            for (int i = 0; i < parts.Length; i++)
            {
                byte[] part = bytes.AsSpan(i * PartSize.Full, PartSize.Of(bytes.Length, i)).ToArray();
                parts[i] = last = kept.Append(Whole(new EntryHeader(EntryKind.Part, key, bytes.Length, i, part), part));
            }

            kept.Append(Entries.Seal(key, bytes.Length, parts, 0));
        }

        kept.Flush();
        if (isTorn)
        {
            Assert.True(segments.TryGet(segments.IdOf(last), out Segment? segment));
            segment.Write(new byte[512], segments.OffsetOf(last) + BlobLog.EntryOverheadBytes + 512);
        }

        if (!keepsOriginal)
        {
            segments.Remove(0);
        }
    }

    private static byte[] Whole(EntryHeader header, byte[] payload)
    {
        byte[] entry = new byte[EntryHeader.SizeBytes + payload.Length];
        header.Write(entry);
        payload.CopyTo(entry, EntryHeader.SizeBytes);
        return entry;
    }

    private async Task AssertThereAsync(ObjectKey key, byte[] bytes)
    {
        await using FasterObjectStore store = await OpenAsync();
        Assert.Equal(bytes, await store.ReadAsync(key));
        Assert.Equal(0, store.Statistics.DamagedObjects);
        Assert.Equal(1, store.Statistics.Objects);
    }

    private Task<FasterObjectStore> OpenAsync() =>
        FasterObjectStore.OpenAsync(new StoreOptions { Path = _directory.Path, QuotaBytes = 64 << 20, MinFreeBytes = 0 });
}

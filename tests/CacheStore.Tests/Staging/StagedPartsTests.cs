using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Staging;

namespace Breakwater.CacheStore.Tests.Staging;

/// <summary>The parts of an object on its way into the log: what memory they take, where their bytes are, what is given back.</summary>
public sealed class StagedPartsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly SegmentSet _segments;
    private readonly StagingBudget _budget = new(limitBytes: 1 << 30);
    private readonly StagedParts _parts;

    public StagedPartsTests()
    {
        _segments = new SegmentSet(_directory.Path, 22, new StoreDisk());
        _parts = new StagedParts(_segments, _budget);
    }

    public void Dispose()
    {
        _parts.Clear();
        Assert.Equal(0, _budget.Buffers);
        _segments.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(1, null, 16 << 10)]
    [InlineData(16 << 10, null, 16 << 10)]
    [InlineData((16 << 10) + 1, null, 32 << 10)]
    [InlineData(1, 1L, 256)]
    [InlineData(1, 256L, 256)]
    [InlineData(1, 257L, 512)]
    [InlineData(1, 1L << 30, PartSize.Full)]
    [InlineData(PartSize.Full, null, PartSize.Full)]
    [InlineData(PartSize.Full + 1, 1L << 30, PartSize.Full)]
    public void Part_OfSoManyBytes_HasRoomForWhatIsExpected(int first, long? expected, int capacity)
    {
        Assert.Equal(Math.Min(first, PartSize.Full), _parts.Fill(new byte[first], expected));
        Assert.True(_parts.TryLocate(0, 1, out StagedLocation location));
        Assert.Equal(capacity, location.Buffer!.Capacity);
        location.Buffer.Release();
        Assert.Equal((1, 1), (_parts.Count, _budget.Buffers));
        Assert.Equal(Math.Min(first, PartSize.Full), _parts.Length);
    }

    /// <summary>Whatever the pieces: a part grows until it is full, and nothing of it is lost on the way.</summary>
    [Theory]
    [InlineData(1000)]
    [InlineData(16 << 10)]
    [InlineData(100_000)]
    public void Parts_FilledByPieces_HaveAllBytes(int piece)
    {
        byte[] bytes = TestObjects.Bytes(piece, (2 * PartSize.Full) + 5);
        int at = 0;
        while (at < bytes.Length)
        {
            ReadOnlySpan<byte> next = bytes.AsSpan(at, Math.Min(piece, bytes.Length - at));
            int taken = _parts.Fill(next, null);
            at += taken;
            Assert.Equal(at, _parts.Length);
            if (taken == 0)
            {
                Assert.Equal(0, at % PartSize.Full);
                _parts.Start(next.Length, null);
            }
        }

        Assert.Equal((3, 3), (_parts.Count, _budget.Buffers));
        Assert.Equal(bytes[..PartSize.Full], _parts.Memory(0).ToArray());
        Assert.Equal(bytes[(2 * PartSize.Full)..], _parts.Memory(2).ToArray());
        Assert.Equal(bytes, ReadAll(bytes.Length));
    }

    [Fact]
    public void Locate_OfAByte_EndsWithItsPart()
    {
        Fill(PartSize.Full + 100);
        Assert.Equal((PartSize.Full - 10, 10), Located(PartSize.Full - 10, 50));
        Assert.Equal((0, 50), Located(PartSize.Full, 50));
        Assert.Equal((99, 1), Located(PartSize.Full + 99, 50));
        Assert.Equal((7, 3), Located(7, 3));
        Assert.False(_parts.TryLocate(PartSize.Full + 100, 1, out StagedLocation location));
        Assert.Equal(default, location);
        Assert.False(_parts.TryLocate(0, 0, out _));
    }

    [Theory]
    [InlineData(-1, true)]
    [InlineData(0, false)]
    public void Flushed_ToItsEnd_LeavesMemoryAndTheBudget(int difference, bool staysInMemory)
    {
        Fill(20_000);
        Segment segment = _segments.GetOrCreate(1);
        long address = _segments.StartOf(1) + 4096;
        _parts.Place(0, address, isVerified: true);
        Assert.Equal((20_000, 1), (_budget.Bytes, _budget.Buffers));
        Assert.Equal([address], _parts.Addresses());

        _parts.ReleaseFlushed(address + BlobLog.SizeOf(20_000) + difference);

        Assert.Equal(staysInMemory ? (20_000, 1) : (0, 0), (_budget.Bytes, _budget.Buffers));
        Assert.Equal(staysInMemory ? 20_000 : 0, _parts.Memory(0).Length);
        Assert.True(_parts.TryLocate(100, 50, out StagedLocation location));
        if (staysInMemory)
        {
            Assert.Null(location.Segment);
            location.Buffer!.Release();
        }
        else
        {
            Assert.Same(segment, location.Segment);
            Assert.Equal(
                (100, 50, 4096L + BlobLog.EntryOverheadBytes + 100, 20_000),
                (location.Start, location.Length, location.FileOffset, location.PartBytes));
        }

        _parts.ReleaseFlushed(address + BlobLog.SizeOf(20_000) + difference); // again: nothing twice
        Assert.Equal(staysInMemory ? 20_000 : 0, _budget.Bytes);
        _parts.Clear();
        Assert.Equal((0, 0), (_budget.Bytes, _budget.Buffers));
    }

    /// <summary>In order, and only what the log took.</summary>
    [Fact]
    public void Flushed_OfSeveralParts_EndsAtTheFirstThatIsNotInTheLog()
    {
        Fill((2 * PartSize.Full) + 100);
        _segments.GetOrCreate(0);
        _parts.Place(0, 64, isVerified: true);
        _parts.Place(2, 64 + (1 << 20), isVerified: true);
        _parts.ReleaseFlushed(1 << 22);
        Assert.Equal([0, PartSize.Full, 100], Enumerable.Range(0, 3).Select(i => _parts.Memory(i).Length));
        Assert.Equal(100, _budget.Bytes);
        _parts.Place(1, 64 + (1 << 19), isVerified: true);
        _parts.ReleaseFlushed(1 << 22);
        Assert.Equal([0, 0, 0], Enumerable.Range(0, 3).Select(i => _parts.Memory(i).Length));
        Assert.Equal((0, 0), (_budget.Bytes, _budget.Buffers));
    }

    [Fact]
    public void Unverified_Parts_AreToldOnce()
    {
        Fill(PartSize.Full + 100);
        _parts.Place(0, 0, isVerified: false); // the log's first address
        _parts.Place(1, 1 << 20, isVerified: false);
        Assert.Equal(PartSize.Full + 100, _parts.UnverifiedBytes);
        Assert.Equal([(0L, PartSize.Full), (1L << 20, 100)], _parts.TakeUnverified());
        Assert.Equal(0, _parts.UnverifiedBytes);
        Assert.Empty(_parts.TakeUnverified());
        _parts.Place(1, 1 << 21, isVerified: true);
        Assert.Empty(_parts.TakeUnverified());
        _parts.LeaveLog();
    }

    [Fact]
    public void LeaveLog_OfPartsInMemory_GivesTheBudgetBackOnce()
    {
        Fill(PartSize.Full + 100);
        _segments.GetOrCreate(0);
        _parts.Place(0, 64, isVerified: false);
        _parts.Place(1, 1 << 20, isVerified: false);
        _parts.ReleaseFlushed((1 << 20) - 1);
        Assert.Equal(100, _budget.Bytes);
        _parts.LeaveLog();
        Assert.Equal(0, _budget.Bytes);
        Assert.Equal([64L, -1L], _parts.Addresses()); // the first is read from its file
        _parts.LeaveLog();
        _parts.Clear();
        Assert.Equal((0, 0), (_budget.Bytes, _budget.Buffers));
    }

    [Fact]
    public void Objects_ByKey_AreThereUntilTheyAreRemoved()
    {
        StagedObjects objects = new();
        ObjectKey key = TestObjects.KeyOf([1]);
        Assert.False(objects.Contains(key));
        Assert.False(objects.TryGet(key, out _));
        Assert.False(objects.Remove(key));
        StagedObject first = new(key, _segments, _budget);
        StagedObject second = new(key, _segments, _budget);
        Assert.Same(first, objects.GetOrAdd(first));
        Assert.Same(first, objects.GetOrAdd(second));
        Assert.True(objects.Contains(key));
        Assert.True(objects.TryGet(key, out StagedObject? found));
        Assert.Same(first, found);
        Assert.False(objects.TryGet(TestObjects.KeyOf([2]), out _));
        Assert.False(objects.Remove(second));
        Assert.True(objects.Contains(key));
        Assert.True(objects.Remove(first));
        Assert.False(objects.Contains(key));
        Assert.False(objects.TryGet(key, out _));
        objects.GetOrAdd(second);
        Assert.True(objects.Remove(key));
        Assert.False(objects.Remove(second));
        Assert.False(objects.Contains(key));
    }

    private void Fill(int length)
    {
        for (int at = 0; at < length;)
        {
            int taken = _parts.Fill(new byte[length - at], length - at);
            at += taken;
            if (taken == 0)
            {
                _parts.Start(length - at, length - at);
            }
        }
    }

    private (int Start, int Length) Located(long offset, int wanted)
    {
        Assert.True(_parts.TryLocate(offset, wanted, out StagedLocation location));
        location.Buffer!.Release();
        return (location.Start, location.Length);
    }

    private byte[] ReadAll(int length)
    {
        byte[] all = new byte[length];
        for (int at = 0; at < length;)
        {
            Assert.True(_parts.TryLocate(at, 70_001, out StagedLocation location));
            location.Buffer!.GetSpan().Slice(location.Start, location.Length).CopyTo(all.AsSpan(at));
            location.Buffer.Release();
            at += location.Length;
        }

        return all;
    }
}

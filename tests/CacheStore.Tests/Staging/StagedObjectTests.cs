using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Staging;
using Breakwater.CacheStore.Store;

namespace Breakwater.CacheStore.Tests.Staging;

public sealed class StagedObjectTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly SegmentSet _segments;
    private readonly StagingBudget _budget = new(limitBytes: 10_000);
    private readonly byte[] _bytes = TestObjects.Bytes(1, 20_000);
    private readonly StagedObject _staged;

    public StagedObjectTests()
    {
        _segments = new SegmentSet(_directory.Path, 22, new StoreDisk());
        _staged = new StagedObject(TestObjects.KeyOf(_bytes), _segments, _budget);
        Assert.Equal(_bytes.Length, _staged.Parts.Fill(_bytes, _bytes.Length));
    }

    public void Dispose()
    {
        _segments.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Lease_ThatUnmaps_HoldsNoMemoryOfPartsThatAreFlushed()
    {
        _staged.Acquire();
        using StagedLease lease = new(_staged);
        Assert.True(lease.TryGetMapped(0, out _));
        Assert.True(_staged.TryGetMapped(0, out _, out StagedBuffer? buffer));
        Flush();
        Assert.Equal(2, buffer!.Holders); // the lease's and this one

        lease.Unmap();

        Assert.Equal(1, buffer.Holders);
        buffer.Release();
        _staged.Release();
    }

    /// <summary>Memory that is sent from its file goes with the lease, not with the thread that sends.</summary>
    [Fact]
    public void Lease_ThatGaveAFileRange_HoldsItsMemoryUntilItIsDisposed()
    {
        byte[] bytes = TestObjects.Bytes(2, ObjectLease.LeastBytesFromFile);
        StagedObject staged = new(TestObjects.KeyOf(bytes), _segments, _budget);
        staged.Parts.Fill(bytes, bytes.Length);
        staged.Acquire();
        StagedLease lease = new(staged);
        Assert.Equal(2, _budget.Buffers); // the other object's, too
        Assert.True(lease.TryGetFileRange(7, out ObjectFileRange range));

        staged.Release(); // the writer's
        byte[] read = new byte[bytes.Length - 7];
        Assert.Equal(read.Length, RandomAccess.Read(range.Handle, read, range.FileOffset));
        Assert.Equal(bytes[7..], read);
        lease.Dispose();

        Assert.Equal(1, _budget.Buffers);
    }

    [Fact]
    public void Refused_ObjectThatIsStillRead_LeavesTheBudgetOnce()
    {
        _staged.Parts.Place(0, 0, isVerified: true);
        Assert.True(_budget.IsExceeded);

        _staged.Parts.LeaveLog();
        _staged.Parts.LeaveLog();

        Assert.False(_budget.IsExceeded);
        _staged.Parts.ReleaseFlushed(1 << 20);
        byte[] read = new byte[_bytes.Length];
        Assert.Equal(read.Length, _staged.TryRead(0, read));
        Assert.Equal(_bytes, read);
        _staged.Release();
        _budget.Add(10_001); // more than the limit only if nothing was taken off twice
        Assert.True(_budget.IsExceeded);
    }

    [Fact]
    public void Flushed_PartWhoseSegmentIsGone_IsReadFromMemory()
    {
        _staged.Parts.Place(0, 0, isVerified: true);

        _staged.Parts.ReleaseFlushed(1 << 20);

        Assert.False(_budget.IsHalfUsed);
        byte[] read = new byte[_bytes.Length];
        Assert.Equal(read.Length, _staged.TryRead(0, read));
        Assert.Equal(_bytes, read);
        _staged.Release();
    }

    private void Flush()
    {
        _segments.GetOrCreate(0);
        _staged.Parts.Place(0, 0, isVerified: true);
        _staged.Parts.ReleaseFlushed(1 << 20);
    }
}

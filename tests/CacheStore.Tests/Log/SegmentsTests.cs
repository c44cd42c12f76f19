using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Log;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Tests.Log;

/// <summary>The files of a log: their names and numbers, who holds them, and what is known of their entries for how long.</summary>
public sealed class SegmentsTests : IDisposable
{
    private const int Bits = 16;
    private readonly TemporaryDirectory _directory = new();
    private readonly HookedDisk _disk = new();
    private readonly SegmentSet _segments;

    public SegmentsTests() => _segments = new SegmentSet(_directory.Path, Bits, _disk);

    public void Dispose()
    {
        _segments.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(0, "0000000000.seg")]
    [InlineData(17, "0000000017.seg")]
    [InlineData(SegmentSet.FirstKeptId - 1, "1073741823.seg")]
    [InlineData(SegmentSet.FirstKeptId, "kept-0000000000.seg")]
    [InlineData(SegmentSet.FirstKeptId + 5, "kept-0000000005.seg")]
    public void File_OfANumber_HasItsName(int id, string name)
    {
        Assert.Equal(name, SegmentSet.FileName(id));
        Assert.Equal(Path.Combine(_directory.Path, name), _segments.PathOf(id));
        Assert.Equal(Path.ChangeExtension(_segments.PathOf(id), ".tab"), _segments.TablePathOf(id));
        Assert.Equal(id >= SegmentSet.FirstKeptId, SegmentSet.IsKept(id));
        long start = _segments.StartOf(id);
        Assert.Equal((id, 0L), (_segments.IdOf(start), _segments.OffsetOf(start)));
        Assert.Equal((id, (1L << Bits) - 1), (_segments.IdOf(start + (1L << Bits) - 1), _segments.OffsetOf(start + (1L << Bits) - 1)));
    }

    [Fact]
    public void Set_OfADirectory_HasTheFilesThatAreSegments()
    {
        foreach (string name in (string[])["0000000003.seg", "5.seg", "kept-0000000001.seg", "x.seg", "-1.seg", "1073741824.seg",
            "kept-x.seg", "0000000004.tab", "0000000003.tab", "kept-0000000002.tab", "y.tab"])
        {
            File.WriteAllBytes(Path.Combine(_directory.Path, name), new byte[10]);
        }

        using SegmentSet again = new(_directory.Path, Bits, _disk);
        Assert.Equal([3, 5], again.FreshIds);
        Assert.Equal([SegmentSet.FirstKeptId + 1], again.KeptIds);
        Assert.Equal(1, again.KeptCount);
        Assert.Equal((0, 1, 1, 2), (again.CountBelow(3), again.CountBelow(4), again.CountBelow(5), again.CountBelow(6)));
        Assert.Equal([4, SegmentSet.FirstKeptId + 2], again.TablesWithoutSegment().Order());
        Assert.Equal(40, again.TableBytes());
        Assert.Equal([3, 5, SegmentSet.FirstKeptId + 1], again.WithoutTable().Order());
        Assert.True(again.TryGet(3, out Segment? segment));
        segment.HasTable = true;
        Assert.Equal([5, SegmentSet.FirstKeptId + 1], again.WithoutTable().Order());
        Assert.False(again.TryGet(4, out _));
    }

    [Fact]
    public void Segment_ThatIsRemoved_IsReadOnByWhoHoldsIt()
    {
        Segment segment = _segments.GetOrCreate(2);
        Assert.Same(segment, _segments.GetOrCreate(2));
        segment.Write([1, 2, 3], 100);
        File.WriteAllBytes(_segments.TablePathOf(2), [1]);
        Assert.True(_segments.TryAcquire(_segments.StartOf(2) + 100, out Segment? held));
        Assert.Same(segment, held);
        Assert.False(_segments.TryAcquire(_segments.StartOf(3), out _));
        nint mapping = segment.Map(1 << Bits);
        Assert.True(mapping > 0);
        Assert.Equal(mapping, segment.Map(1 << Bits));

        _segments.Remove(2);
        _segments.Remove(2);

        Assert.Empty(Directory.GetFiles(_directory.Path));
        Assert.False(_segments.TryGet(2, out _));
        Assert.False(_segments.TryAcquire(_segments.StartOf(2), out _));
        byte[] read = new byte[3];
        Assert.Equal(3, _disk.ReadFully(held.Handle, read, 100));
        Assert.Equal([1, 2, 3], read);
        Assert.True(held.TryAcquire());
        held.Release();
        held.Release();
        Assert.True(held.Handle.IsClosed);
        Assert.False(held.TryAcquire());
        Assert.DoesNotContain(File.ReadLines("/proc/self/maps"), line => line.Contains(_directory.Path, StringComparison.Ordinal));
    }

    [Fact]
    public void Segment_ThatCannotBeMapped_IsReadFromItsFileAndNotTriedAgain()
    {
        UnmappableDisk disk = new();
        using SegmentSet segments = new(Path.Combine(_directory.Path, "other"), Bits, disk);
        Segment segment = segments.GetOrCreate(0);
        Assert.Equal(0, segment.Map(1 << Bits));
        Assert.Equal(0, segment.Map(1 << Bits));
        Assert.Equal(1, disk.Asked);
    }

    [Fact]
    public void Removal_ThatTheDiskRefuses_IsTriedAgain()
    {
        _segments.GetOrCreate(2);
        _disk.DeleteFault = FaultyDisk.InputOutput;
        Assert.ThrowsAny<IOException>(() => _segments.Remove(2));
        Assert.True(_segments.TryAcquire(_segments.StartOf(2), out Segment? segment));
        segment.Release();
        _disk.DeleteFault = null;
        _segments.Remove(2);
        Assert.Empty(Directory.GetFiles(_directory.Path));
    }

    [Fact]
    public void Entries_InAnyNumber_HaveTheirOwnStates()
    {
        Segment segment = _segments.GetOrCreate(0);
        Assert.Equal(0u, segment.AddEntry(frequency: 2));
        Assert.Equal(1u, segment.AddEntries(254));
        Assert.Equal(255u, segment.AddEntry());
        Assert.Equal(256u, segment.AddEntry(frequency: 1)); // more than there was room for
        Assert.Equal(257u, segment.AddEntries(1000));
        Assert.Equal(1257u, segment.AddEntry());
        Assert.Equal((2, 0, 0, 1, 0), (segment.FrequencyOf(0), segment.FrequencyOf(1), segment.FrequencyOf(255), segment.FrequencyOf(256),
            segment.FrequencyOf(1257)));
        segment.SetChecked(256, segment.Generation(TimeProvider.System));
        segment.SetFrequency(256, 3);
        Assert.True(segment.IsChecked(256));
        Assert.Equal(3, segment.FrequencyOf(256));
        segment.CountUse(256);
        segment.CountUse(255);
        Assert.Equal((3, 1), (segment.FrequencyOf(256), segment.FrequencyOf(255)));
        Assert.False(segment.IsChecked(255));
        Assert.False(segment.IsChecked(257));
    }

    /// <summary>What was found right is believed for five seconds, and not if the generation has changed in between.</summary>
    [Fact]
    public void Generation_OfAFile_LastsFiveSeconds()
    {
        FakeTimeProvider time = new();
        Segment segment = _segments.GetOrCreate(0);
        uint entry = segment.AddEntry(frequency: 2);
        int first = segment.Generation(time);
        segment.SetChecked(entry, first);
        time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromTicks(1));
        Assert.Equal(first, segment.Generation(time));
        Assert.True(segment.IsChecked(entry));
        time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(first + 1, segment.Generation(time));
        Assert.False(segment.IsChecked(entry));
        Assert.Equal(2, segment.FrequencyOf(entry));
        segment.SetChecked(entry, first); // read before
        Assert.False(segment.IsChecked(entry));
        segment.SetChecked(entry, first + 1);
        Assert.True(segment.IsChecked(entry));
        time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(first + 1, segment.Generation(time));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(first + 2, segment.Generation(time));
    }

    [Fact]
    public async Task Generation_OfAFileThatSomebodyElseChanged_IsFarFromTheOneBefore()
    {
        FakeTimeProvider time = new();
        Segment segment = _segments.GetOrCreate(0);
        uint entry = segment.AddEntry();
        segment.Write(new byte[100], 0);
        int first = segment.Generation(time);
        segment.SetChecked(entry, first);
        segment.Write([1], 50); // the store itself
        Assert.Equal(first, segment.Generation(time));
        Assert.True(segment.IsChecked(entry));
        using (FileStream other = new(_segments.PathOf(0), FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
        {
            other.SetLength(1 << 10);
        }

        await Waiting.UntilAsync(() => segment.Generation(time) != first); // looked at again after a tenth of a millisecond
        Assert.Equal(first + 1000, segment.Generation(time));
        Assert.False(segment.IsChecked(entry));
        Assert.Equal(first + 1000, segment.Generation(time));
    }

    private sealed class UnmappableDisk : StoreDisk
    {
        public int Asked { get; private set; }

        public override nint Map(SafeFileHandle file, long bytes)
        {
            Asked++;
            return -1;
        }
    }
}

using System.Text;
using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Log;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.CacheStore.Tests.Log;

/// <summary>The two slots of a log's commits: which of them counts, and what a disk may do to them.</summary>
public sealed class CommitRecordTests : IDisposable
{
    private const int SlotBytes = 4096;
    private readonly TemporaryDirectory _directory = new();
    private readonly HookedDisk _disk = new();
    private readonly DiskHealth _health = new(TimeProvider.System, NullLogger.Instance);

    private string FilePath => CommitRecord.PathIn(_directory.Path);

    public void Dispose()
    {
        _health.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Commits_InTurn_AreReadAsTheLastOneAlsoAfterARestart()
    {
        Assert.Null(Read());
        using (CommitRecord record = Open())
        {
            Assert.Null(Read());
            for (int i = 1; i <= 5; i++)
            {
                record.Commit(i, 10 * i, [], i, false);
                Assert.Equal(new CommittedRange(i, 10 * i, 12, 22), Read());
            }

            Assert.Equal(2 * SlotBytes, new FileInfo(FilePath).Length);
        }

        using (CommitRecord again = Open())
        {
            Assert.Equal(new CommittedRange(5, 50, 12, 22), Read());
            again.Commit(2, 20, [], 1, false); // not the numbers count, but which came last
            Assert.Equal(new CommittedRange(2, 20, 12, 22), Read());
        }
    }

    /// <summary>A commit by which room is made needs none on a full disk.</summary>
    [Fact]
    public void File_HasRoomForBothSlotsFromTheBeginning()
    {
        using CommitRecord record = Open();
        Assert.Equal((0, 2 * SlotBytes), _disk.Reserved);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Slot_TornWhileItWasWritten_LeavesTheOneBefore(int commits)
    {
        using (CommitRecord record = Open())
        {
            for (int i = 1; i <= commits; i++)
            {
                record.Commit(i, 10 * i, [], i, false);
            }
        }

        byte[] whole = File.ReadAllBytes(FilePath);
        int slot = (commits & 1) * SlotBytes;
        for (int at = 0; at < 48; at++)
        {
            byte[] torn = [.. whole];
            torn[slot + at] ^= 1;
            File.WriteAllBytes(FilePath, torn);
            Assert.Equal(new CommittedRange(commits - 1, 10 * (commits - 1), 12, 22), Read());
        }

        using (CommitRecord record = Open())
        {
            record.Commit(7, 70, [], 1, false);
        }

        Assert.Equal(new CommittedRange(7, 70, 12, 22), Read());
    }

    [Theory]
    [InlineData(0, 0, 12, 22, true)]
    [InlineData(5, 5, 12, 22, true)]
    [InlineData(5, 4, 12, 22, false)]
    [InlineData(-1, 4, 12, 22, false)]
    [InlineData(0, 1, 11, 22, false)]
    [InlineData(0, 1, 30, 30, true)]
    [InlineData(0, 1, 31, 31, false)]
    [InlineData(0, 1, 22, 21, false)]
    [InlineData(0, 1, 22, 40, true)]
    [InlineData(0, 1, 22, 41, false)]
    public void Slot_OfThisRangeAndGeometry_CountsOrNot(long begin, long until, int pageBits, int segmentBits, bool counts)
    {
        using CommitRecord record = new(_directory.Path, pageBits, segmentBits, _disk, _health);
        record.Commit(begin, until, [], 1, false);
        Assert.Equal(counts ? new CommittedRange(begin, until, pageBits, segmentBits) : null, Read());
    }

    [Theory]
    [InlineData("BWC2", 0, true)]
    [InlineData("BWC2", SlotBytes, true)]
    [InlineData("BWCz", 0, true)]
    [InlineData("BWC0", 0, true)]
    [InlineData("BWC1", 0, false)] // ours, damaged
    [InlineData("BWC/", 0, false)]
    [InlineData("BWC{", 0, false)]
    [InlineData("BWD2", 0, false)]
    public void Slot_OfAnotherVersion_IsNoDamage(string magic, int at, bool isOther)
    {
        byte[] file = new byte[2 * SlotBytes];
        Encoding.ASCII.GetBytes(magic).CopyTo(file, at);
        File.WriteAllBytes(FilePath, file);
        if (isOther)
        {
            StoreFormatException other = Assert.Throws<StoreFormatException>(() => Read());
            Assert.Contains("(this one reads format 1)", other.Message, StringComparison.Ordinal);
        }
        else
        {
            Assert.Null(Read());
        }
    }

    [Fact]
    public void Slot_ThatCannotBeRead_MayBeTheNewestOne()
    {
        using (CommitRecord record = Open())
        {
            record.Commit(1, 10, [], 1, false);
            record.Commit(2, 20, [], 2, false);
        }

        int reads = 0;
        _disk.ReadFault = _ => reads++ == 0;
        Assert.Null(Read());
        _disk.ReadFault = null;
        Assert.Equal(new CommittedRange(2, 20, 12, 22), Read());

        // Who opens it then begins anew: what comes back some day is not taken for newer.
        reads = 0;
        _disk.ReadFault = _ => reads++ == 0;
        using (CommitRecord record = Open())
        {
            _disk.ReadFault = null;
            Assert.Null(Read());
            record.Commit(3, 30, [], 1, false);
        }

        Assert.Equal(new CommittedRange(3, 30, 12, 22), Read());
    }

    [Fact]
    public async Task Commit_OnADiskThatRefuses_IsMadeWhenItTakesWrites()
    {
        using CommitRecord record = Open();
        _disk.BeforeWrite = _ => throw FaultyDisk.InputOutput;
        Task committing = Task.Run(() => record.Commit(1, 10, [], 1, false));
        await Waiting.UntilAsync(() => _health.WriteFailure is not null);
        Assert.Null(Read());
        Assert.False(committing.IsCompleted);
        _disk.BeforeWrite = null;
        _health.RetryNow();
        await committing.InTimeAsync();
        Assert.Null(_health.WriteFailure);
        Assert.Equal(new CommittedRange(1, 10, 12, 22), Read());

        _disk.BeforeWrite = _ => throw FaultyDisk.InputOutput;
        committing = Task.Run(() => record.Commit(2, 20, [], 2, false));
        await Waiting.UntilAsync(() => _health.WriteFailure is not null);
        record.StopRetrying();
        _health.RetryNow();
        await committing.InTimeAsync();
        _disk.BeforeWrite = null;
        Assert.Equal(new CommittedRange(1, 10, 12, 22), Read());
    }

    [Fact]
    public void Open_OnAFullDisk_IsDoneAllTheSame()
    {
        _disk.ReserveFault = new IOException("No space left on device");
        using CommitRecord record = Open();
        _disk.ReserveFault = null;
        record.Commit(1, 10, [], 1, false);
        Assert.Equal(new CommittedRange(1, 10, 12, 22), Read());
    }

    private CommitRecord Open() => new(_directory.Path, 12, 22, _disk, _health);

    private CommittedRange? Read() => CommitRecord.TryRead(_directory.Path, _disk, out CommittedRange range) ? range : null;
}

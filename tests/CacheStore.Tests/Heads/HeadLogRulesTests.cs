using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Heads;
using Breakwater.CacheStore.Log;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.CacheStore.Tests.Heads;

/// <summary>What a log of heads takes, what it says of itself, and what is left of a head that it could not take.</summary>
public sealed class HeadLogRulesTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly DiskHealth _health = new(TimeProvider.System, NullLogger.Instance);
    private HeadLog _heads = null!;

    public Task InitializeAsync()
    {
        HeadLimits limits = new(16 << 20, 10_000, TimeSpan.FromMilliseconds(10));
        _heads = HeadLog.Open(
            Path.Combine(_directory.Path, "heads"), limits, new StoreDisk(), _health, TimeProvider.System, NullLogger.Instance);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _heads.DisposeAsync();
        _health.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Log_ThatIsNew_HasOneSegmentAndNoHead()
    {
        Assert.Equal((0L, 16L << 20, 1L << 20), (_heads.Count, _heads.QuotaBytes, _heads.UsedBytes));
        Assert.Equal((256 << 10) - 4, _heads.MaxBytes);
        Assert.False(_heads.TryGet("a", out ReadOnlyMemory<byte> head));
        Assert.True(head.IsEmpty);
        Assert.Equal(0, _heads.RemoveByPrefix(""));
        Assert.Empty(_heads.Names("", 10));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void Put_OfTheGreatestLengthWithItsName_IsTakenAndOneByteMoreIsNot(int more, bool isTaken)
    {
        _heads.Put("name", "old"u8.ToArray());
        byte[] head = TestObjects.Bytes(1, _heads.MaxBytes - 4 - 4 + more); // the name, and its length
        _heads.Put("name", head);
        Assert.Equal(isTaken, _heads.TryGet("name", out ReadOnlyMemory<byte> found));
        Assert.Equal(isTaken ? head : [], found.ToArray());
        Assert.Equal(isTaken ? 1 : 0, _heads.Count);
    }

    /// <summary>Of a head that could not be replaced nothing is left: the old one would be wrong.</summary>
    [Fact]
    public void Put_WhileTheDiskRefuses_LeavesNoHeadOfThatName()
    {
        _heads.Put("a", "old"u8.ToArray());
        _heads.Put("b", "other"u8.ToArray());
        _health.Report(FaultyDisk.InputOutput);
        _heads.Put("a", "new"u8.ToArray());
        Assert.False(_heads.TryGet("a", out _));
        Assert.True(_heads.TryGet("b", out _));
        _health.ReportSuccess();
        _heads.Put("a", "new"u8.ToArray());
        Assert.True(_heads.TryGet("a", out ReadOnlyMemory<byte> head));
        Assert.Equal("new"u8.ToArray(), head.ToArray());
    }

    [Fact]
    public async Task Removal_OfAHead_IsDurableThoughNothingFollows()
    {
        string folder = Path.Combine(_directory.Path, "heads");
        _heads.Put("a", "1"u8.ToArray());
        await Waiting.UntilAsync(() => _heads.Staged().Count == 0);
        Assert.True(CommitRecord.TryRead(folder, new StoreDisk(), out CommittedRange before));

        Assert.True(_heads.Remove("a"));

        await Waiting.UntilAsync(
            () => CommitRecord.TryRead(folder, new StoreDisk(), out CommittedRange now) && now.UntilAddress > before.UntilAddress);
    }

    [Fact]
    public async Task Names_ByPrefix_AreAsManyAsAreAskedFor()
    {
        foreach (string name in (string[])["http://a/1", "http://a/2", "http://b/1", "http://ab"])
        {
            _heads.Put(name, "1"u8.ToArray());
        }

        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(["http://a/1", "http://a/2"], _heads.Names("http://a/", 10).Distinct().Order());
            Assert.Single(_heads.Names("http://a/", 1));
            Assert.Empty(_heads.Names("http://a/", 0));
            Assert.Equal(4, _heads.Names("", 10).Distinct().Count());
            await Waiting.UntilAsync(() => _heads.Staged().Count == 0); // then the same from the files
        }
    }

    [Fact]
    public async Task Head_ThatIsMovedOrDropped_IsThatOfItsAddressAlone()
    {
        _heads.Put("a", "1"u8.ToArray());
        Assert.True(_heads.TryMark("a", out HeadMark mark));
        Assert.Null(_heads.IsUsedAt(mark.Key, mark.Address + 4));
        Assert.False(_heads.IsUsedAt(mark.Key, mark.Address));
        Assert.True(_heads.TryGet("a", out _));
        Assert.True(_heads.IsUsedAt(mark.Key, mark.Address));

        byte[] payload = HeadEntry.Encode("a", "2"u8.ToArray());
        Assert.True(_heads.TryMove(mark.Key, mark.Address + 4, payload)); // nothing there, nothing to do
        Assert.True(_heads.IsCurrent(mark));
        Assert.True(_heads.TryMove(mark.Key, mark.Address, payload));
        Assert.False(_heads.IsCurrent(mark));
        Assert.True(_heads.TryGet("a", out ReadOnlyMemory<byte> head));
        Assert.Equal("2"u8.ToArray(), head.ToArray());

        _heads.Drop(mark.Key, mark.Address); // it is elsewhere now
        Assert.True(_heads.TryGet("a", out _));
        Assert.True(_heads.TryMark("a", out HeadMark moved));
        await Waiting.UntilAsync(() => _heads.Staged().Count == 0);
        _heads.Drop(moved.Key, moved.Address);
        Assert.False(_heads.TryGet("a", out _));
        Assert.Equal(0, _heads.Count);
    }
}

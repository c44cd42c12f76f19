using System.Text;
using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Heads;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.CacheStore.Tests.Heads;

public sealed class HeadStoreTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private HeadLimits _limits = new(16 << 20, 10_000, TimeSpan.FromMilliseconds(10));
    private HeadLog _heads = null!;

    public Task InitializeAsync()
    {
        _heads = Open(Path.Combine(_directory.Path, "heads"));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _heads.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(700)]
    [InlineData(200_000)]
    public async Task Head_Put_IsThereAtOnceAndAfterRestart(int length)
    {
        byte[] head = TestObjects.Bytes(length, length);

        _heads.Put("http://host/é?q=1", head);

        AssertHead(head, "http://host/é?q=1");
        Assert.False(_heads.TryGet("http://host/é?q=2", out _));
        await ReopenAsync();
        AssertHead(head, "http://host/é?q=1");
        Assert.Equal(1, _heads.Count);
    }

    [Fact]
    public async Task Head_PutAgainOrRemoved_TheLastWordCountsAfterRestart()
    {
        for (byte i = 0; i < 5; i++)
        {
            _heads.Put("again", new[] { i });
            _heads.Put("gone", new[] { i });
            _heads.Put("back", new[] { i });
            Assert.True(_heads.Remove("back"));
        }

        Assert.True(_heads.Remove("gone"));
        Assert.False(_heads.Remove("gone"));
        _heads.Put("back", "b"u8.ToArray());
        await ReopenAsync();

        AssertHead([4], "again");
        AssertHead("b"u8.ToArray(), "back");
        Assert.False(_heads.TryGet("gone", out _));
        Assert.Equal(2, _heads.Count);
    }

    [Fact]
    public void Head_TooLong_LeavesNoneOfItsName()
    {
        _heads.Put("a", "old"u8.ToArray());

        _heads.Put("a", new byte[_heads.MaxBytes]);

        Assert.False(_heads.TryGet("a", out _));
    }

    [Fact]
    public async Task Mark_OfAHead_IsCurrentUntilThatIsReplacedOrRemoved()
    {
        Assert.False(_heads.TryMark("a", out _));
        _heads.Put("a", "same"u8.ToArray());
        Assert.True(_heads.TryMark("a", out HeadMark first));
        Assert.True(_heads.IsCurrent(first));

        _heads.Put("a", "same"u8.ToArray());
        Assert.False(_heads.IsCurrent(first));
        Assert.True(_heads.TryMark("a", out HeadMark second));
        await Waiting.UntilAsync(() => _heads.Staged().Count == 0); // in the files now
        Assert.True(_heads.IsCurrent(second));

        _heads.RemoveByPrefix("a");
        Assert.False(_heads.IsCurrent(second));
        _heads.Put("a", "same"u8.ToArray());
        Assert.False(_heads.IsCurrent(second));
        Assert.False(_heads.IsCurrent(default));
    }

    /// <summary>What is only looked at through its mark goes round once more when others make room, as what is read does.</summary>
    [Fact]
    public void Mark_ThatIsAskedFor_IsAUseOfItsHead()
    {
        _heads.Put("a", "head"u8.ToArray());
        Assert.True(_heads.TryMark("a", out HeadMark mark));
        Assert.False(_heads.IsUsedAt(mark.Key, mark.Address));

        Assert.True(_heads.IsCurrent(mark));

        Assert.True(_heads.IsUsedAt(mark.Key, mark.Address));
    }

    [Fact]
    public async Task Heads_Removed_ByPrefixAreGoneOnDiskToo()
    {
        for (int i = 0; i < 300; i++)
        {
            _heads.Put($"http://a/{i}", "a"u8.ToArray());
            _heads.Put($"http://b/{i}", "b"u8.ToArray());
        }

        await ReopenAsync(); // half of it is read from the files
        _heads.Put("http://a/new", "a"u8.ToArray());

        Assert.Equal(301, _heads.RemoveByPrefix("http://a/"));
        Assert.Equal(0, _heads.RemoveByPrefix("http://a/"));
        await ReopenAsync();

        Assert.Equal(300, _heads.Count);
        Assert.Empty(_heads.Names("http://a", 10));
        Assert.Equal(10, _heads.Names("http://b", 10).Count);
    }

    /// <summary>An old head that comes back when its successor was evicted would be another generation than what was served last.</summary>
    [Fact]
    public async Task Heads_BeyondTheQuota_AreEvictedAndNoOlderOneComesBack()
    {
        Random random = new(7);
        Dictionary<string, byte> newest = [];
        for (int i = 0; i < 4_000; i++)
        {
            string name = $"http://host/{random.Next(1_500)}";
            if (random.Next(10) == 0)
            {
                _heads.Remove(name);
                newest.Remove(name);
            }
            else
            {
                newest[name] = (byte)random.Next(256);
                await PutAsync(name, Enumerable.Repeat(newest[name], 12_000).ToArray());
            }

            _heads.TryGet($"http://host/{random.Next(50)}", out _); // these are asked for
        }

        await Waiting.UntilAsync(() => _heads.UsedBytes <= _heads.QuotaBytes);
        for (int round = 0; round < 2; round++)
        {
            int found = 0;
            for (int i = 0; i < 1_500; i++)
            {
                string name = $"http://host/{i}";
                if (_heads.TryGet(name, out ReadOnlyMemory<byte> head))
                {
                    found++;
                    Assert.True(newest.TryGetValue(name, out byte expected) && head.Span[0] == expected, $"{name} is an old one");
                }
            }

            Assert.InRange(found, 300, 1_400);
            Assert.Equal(found, _heads.Count);
            await ReopenAsync();
        }
    }

    [Fact]
    public async Task Heads_MoreThanMayBe_OldestGoFirst()
    {
        _limits = _limits with { MostHeads = 1_000 };
        await ReopenAsync();
        byte[] head = new byte[4_000];
        for (int i = 0; i < 3_000; i++)
        {
            await PutAsync($"http://host/{i}", head);
        }

        await Waiting.UntilAsync(() => _heads.Count <= 1_000);

        Assert.True(_heads.TryGet("http://host/2999", out _));
        Assert.False(_heads.TryGet("http://host/0", out _));
    }

    /// <summary>What is asked for goes round once more, what is not makes room.</summary>
    [Fact]
    public async Task Heads_ThatAreAskedFor_StayWhileOthersMakeRoom()
    {
        _limits = new HeadLimits(HeadLimits.LeastBytes, 10_000, TimeSpan.FromMilliseconds(1));
        string folder = Path.Combine(_directory.Path, "small");
        await using HeadLog heads = Open(folder);
        byte[] head = TestObjects.Bytes(1, 100_000);
        for (int i = 0; i < 100; i++)
        {
            await Waiting.UntilAsync(() => heads.Staged().Count < 4);
            heads.Put($"http://host/{i}", head);
            Assert.True(heads.TryGet("http://host/2", out _) || i < 2);
        }

        await Waiting.UntilAsync(() => heads.UsedBytes <= heads.QuotaBytes);
        Assert.True(heads.TryGet("http://host/2", out ReadOnlyMemory<byte> found));
        Assert.Equal(head, found.ToArray());
        Assert.All((int[])[1, 3, 4], i => Assert.False(heads.TryGet($"http://host/{i}", out _)));
        await Waiting.UntilAsync(() => Directory.GetFiles(folder, "*.tab").Length > 0); // the next start does not read the heads
    }

    /// <summary>The files of a process that was killed: what it had not committed is missing, nothing is wrong.</summary>
    [Fact]
    public async Task Heads_AfterAKill_AreTheNewestCommittedOnes()
    {
        for (int i = 0; i < 2_000; i++)
        {
            _heads.Put($"http://host/{i % 500}", Encoding.ASCII.GetBytes($"{i % 500} {i / 500}"));
        }

        await Waiting.UntilAsync(() => _heads.Staged().Count == 0);
        _heads.Put("http://host/late", "never committed perhaps"u8.ToArray());
        string copy = Path.Combine(_directory.Path, "copy");
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.GetFiles(Path.Combine(_directory.Path, "heads")))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }

        await using HeadLog found = Open(copy);

        Assert.InRange(found.Count, 500, 501);
        for (int i = 0; i < 500; i++)
        {
            Assert.True(found.TryGet($"http://host/{i}", out ReadOnlyMemory<byte> head));
            Assert.Equal($"{i} 3", Encoding.ASCII.GetString(head.Span));
        }
    }

    [Fact]
    public async Task Head_DamagedOnDisk_IsForgotten()
    {
        _heads.Put("http://host/a", TestObjects.Bytes(1, 5_000));
        await _heads.DisposeAsync();
        string file = Directory.GetFiles(Path.Combine(_directory.Path, "heads"), "*.seg").Single();
        byte[] bytes = await File.ReadAllBytesAsync(file);
        bytes[2_000] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);
        _heads = Open(Path.Combine(_directory.Path, "heads"));

        Assert.False(_heads.TryGet("http://host/a", out _));
        Assert.Equal(0, _heads.Count);
    }

    private HeadLog Open(string path)
    {
        DiskHealth health = new(TimeProvider.System, NullLogger.Instance);
        return HeadLog.Open(path, _limits, new StoreDisk(), health, TimeProvider.System, NullLogger.Instance);
    }

    private async Task ReopenAsync()
    {
        await _heads.DisposeAsync();
        _heads = Open(Path.Combine(_directory.Path, "heads"));
    }

    /// <summary>As a busy proxy's disk takes it: the log's pages in memory are not full.</summary>
    private async Task PutAsync(string name, byte[] head)
    {
        await Waiting.UntilAsync(() => _heads.Staged().Count < 50);
        _heads.Put(name, head);
    }

    private void AssertHead(byte[] expected, string name)
    {
        Assert.True(((IHeadStore)_heads).TryGet(name, out ReadOnlyMemory<byte> head), name);
        Assert.Equal(expected, head.ToArray());
    }
}

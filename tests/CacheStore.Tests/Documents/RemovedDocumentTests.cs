using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Documents;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.CacheStore.Tests.Documents;

/// <summary>What was removed stays so, at once and after a restart, whatever else is done with it at that moment.</summary>
public sealed class RemovedDocumentTests : IAsyncLifetime
{
    /// <summary>Two pages in memory, with room for eight documents each; what is left of the second is too little for one more.</summary>
    private const long FullBytes = (2 << 23) - 1_000_000;

    private readonly TemporaryDirectory _directory = new();
    private readonly ManualResetEventSlim _writes = new(initialState: true);
    private readonly HookedDisk _disk = new();
    private readonly DiskHealth _health = new(TimeProvider.System, NullLogger.Instance);
    private FasterDocumentStore _store = null!;
    private int _held;

    public Task InitializeAsync()
    {
        _disk.BeforeWrite = _ =>
        {
            Interlocked.Increment(ref _held);
            _writes.Wait(Waiting.Hang);
        };
        _store = FasterDocumentStore.Open(_directory.Path, _disk, _health, NullLogger.Instance);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        _health.Dispose();
        _writes.Dispose();
        _directory.Dispose();
    }

    /// <summary>A document above 64 KiB is read from the disk before it is written again: it is removed between the two.</summary>
    [Fact]
    public async Task Remove_WhileTheDocumentIsWrittenAgain_IsNotUndone()
    {
        await _store.PutAsync("old", Document(0, 500_000));
        int removed = 0;
        _disk.ReadFault = _ =>
        {
            removed += _store.Remove("old") ? 1 : 0;
            return false;
        };
        for (int i = 0; removed == 0 && i < 300; i++)
        {
            await _store.PutAsync("new", Document(i, 1_000_000));
        }

        _disk.ReadFault = null;
        Assert.Equal(1, removed);
        await GoneAsync("old");
    }

    /// <summary>What one sees before a restart is what one sees after it.</summary>
    [Fact]
    public async Task Remove_WhileTheDocumentIsPut_IsBeforeItOrBehindIt()
    {
        string[] keys = [.. Enumerable.Range(0, 1_500).Select(i => $"d{i}")];
        await Task.WhenAll(keys.Select(key => _store.PutAsync(key, Document(1, 10)).AsTask())).InTimeAsync();
        foreach (string[] some in keys.Chunk(20))
        {
            await Task.WhenAll(
                Task.WhenAll(some.Select(key => Task.Run(async () => await _store.PutAsync(key, Document(2, 10))))),
                Task.Run(() => Array.ForEach(some, key => _store.Remove(key)))).InTimeAsync();
        }

        string[] before = [.. _store.Keys().Order()];
        await ReopenAsync();

        Assert.Equal(before, _store.Keys().Order());
    }

    /// <summary>The log has no room for the removal's entry until the disk has written what is before it.</summary>
    [Fact]
    public async Task Remove_WhileTheLogIsFull_IsThereAfterARestart()
    {
        await _store.PutAsync("old", Document(0, 10));
        Task puts = await FillLogAsync();
        Assert.True(_store.Remove("old"));
        _writes.Set();
        await puts.InTimeAsync();

        await GoneAsync("old");
    }

    /// <summary>A document is seen from its put on, and so is its removal, however long the disk takes.</summary>
    [Fact]
    public async Task Remove_OfADocumentThatWaitsForTheLog_IsNotUndone()
    {
        await _store.PutAsync("old", Document(0, 10));
        Task puts = await FillLogAsync();
        Task[] late = [_store.PutAsync("new", Document(1, 10)).AsTask(), _store.PutAsync("old", Document(2, 10)).AsTask()];
        Assert.True(_store.TryGet("new", out _));
        Assert.Equal((true, true), (_store.Remove("new"), _store.Remove("old")));
        _writes.Set();
        await Task.WhenAll([puts, .. late]).InTimeAsync();

        await GoneAsync("old", "new");
    }

    /// <summary>Many wait for one commit, and none says that it is done before the disk has it.</summary>
    [Fact]
    public async Task Put_BesideOthers_IsCompleteWhenTheDiskHasIt()
    {
        _writes.Reset();
        Task<bool>[] puts = [.. Enumerable.Range(0, 100).Select(i => Task.Run(async () =>
        {
            await _store.PutAsync($"d{i % 40}", Document(i, 100));
            return _writes.IsSet;
        }))];
        await Waiting.UntilAsync(() => _store.Count == 40 && _store.LogBytes > 40 * 100);
        await Waiting.UntilAsync(() => _held > 0);
        _writes.Set();

        Assert.DoesNotContain(false, await Task.WhenAll(puts).InTimeAsync());
    }

    /// <summary>A disk that fails for a moment has the old bytes again afterwards: what was forgotten by then stays so.</summary>
    [Fact]
    public async Task Document_ThatCouldNotBeRead_IsForgottenAlsoAfterARestart()
    {
        await _store.PutAsync("long", Document(0, 100_000));
        _disk.ReadFault = _ => true;
        Assert.False(_store.TryGet("long", out _));
        _disk.ReadFault = null;

        await GoneAsync("long");
    }

    /// <summary>One entry is enough for what is put again before the log has room.</summary>
    [Fact]
    public async Task Put_AgainWhileTheLogIsFull_IsWrittenOnceAndTheNewestWins()
    {
        Task puts = await FillLogAsync();
        Task[] late = [.. Enumerable.Range(1, 500).Select(i => _store.PutAsync("a", Document(i, 100_000)).AsTask())];
        _writes.Set();
        await Task.WhenAll([puts, .. late]).InTimeAsync();

        Assert.InRange(_store.LogBytes, 30_000_000, 34_000_000);
        await ReopenAsync();
        Assert.True(_store.TryGet("a", out StoredDocument? found));
        Assert.Equal(Document(500, 100_000).Body.ToArray(), found.Body.ToArray());
    }

    /// <summary>The newest word counts, also where the removal could not be written before the next document of that name.</summary>
    [Fact]
    public async Task Put_AfterARemoval_IsThereAfterARestart()
    {
        await _store.PutAsync("a", Document(0, 10));
        Task puts = await FillLogAsync();
        Assert.True(_store.Remove("a"));
        Task again = _store.PutAsync("a", Document(7, 10)).AsTask();
        _writes.Set();
        await Task.WhenAll(puts, again).InTimeAsync();
        await ReopenAsync();

        Assert.True(_store.TryGet("a", out StoredDocument? found));
        Assert.Equal(Document(7, 10).Body.ToArray(), found.Body.ToArray());
    }

    /// <summary>
    /// Each name has a writer of its own, which does not wait for the disk; beside them the log is written again and again. What was said
    /// last of a name is so at once, and after a restart.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Documents_OfManyWriters_AreWhatWasSaidLast(int seed)
    {
        int?[] last = await Task.WhenAll(Enumerable.Range(0, 6).Select(name => Task.Run(() => WriteAsync(name, new Random(seed * name)))))
            .InTimeAsync();
        await ReopenAsync();

        Assert.Equal(last, Enumerable.Range(0, last.Length).Select(SeedOf));
    }

    private async Task<int?> WriteAsync(int name, Random random)
    {
        int? said = null;
        List<Task> puts = [];
        for (int step = 1; step <= 250; step++)
        {
            said = random.Next(5) == 0 ? null : step;
            if (said is null)
            {
                _store.Remove($"{name}");
            }
            else
            {
                puts.Add(_store.PutAsync($"{name}", Document(step, random.Next(3) == 0 ? 10 : random.Next(50_000, 500_000))).AsTask());
            }

            Assert.Equal(said, SeedOf(name));
            if (random.Next(4) == 0)
            {
                await Task.WhenAll(puts);
                Assert.Equal(said, SeedOf(name));
            }
        }

        await Task.WhenAll(puts);
        return said;
    }

    /// <summary>By which seed the document was made; null: it is not there.</summary>
    private int? SeedOf(int name) =>
        _store.TryGet($"{name}", out StoredDocument? found) ? BitConverter.ToInt32(found.Head.Span) : null;

    /// <summary>The disk stands still until <see cref="_writes"/> is set. Gives what puts then go on.</summary>
    private async Task<Task> FillLogAsync()
    {
        _writes.Reset();
        Task puts = Task.WhenAll(Enumerable.Range(0, 30).Select(i =>
            Task.Run(async () => await _store.PutAsync($"d{i}", Document(i, 1_000_000)))));
        await Waiting.UntilAsync(() => _store.LogBytes > FullBytes);
        return puts;
    }

    private static StoredDocument Document(int seed, int bytes) =>
        new(TestObjects.Bytes(seed, bytes), BitConverter.GetBytes(seed), DateTimeOffset.UnixEpoch);

    private async Task GoneAsync(params string[] keys)
    {
        Assert.All(keys, key => Assert.False(_store.TryGet(key, out _)));
        await ReopenAsync();
        Assert.All(keys, key => Assert.False(_store.TryGet(key, out _)));
    }

    private async Task ReopenAsync()
    {
        await _store.DisposeAsync();
        await InitializeAsync();
    }
}

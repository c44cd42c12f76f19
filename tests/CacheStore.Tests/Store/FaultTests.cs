using Breakwater.CacheStore.Documents;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.CacheStore.Tests.Store;

public sealed class FaultTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(28)]
    [InlineData(5)]
    [InlineData(30)]
    public async Task Disk_RefusingWrites_StoreServesWhatItHasRefusesNewAndRecoversByItself(int errno)
    {
        FaultyDisk disk = new();
        await using FasterObjectStore store = await OpenAsync(disk);
        byte[] old = TestObjects.Bytes(1, 500_000);
        await store.WriteAsync(TestObjects.KeyOf(old), old);
        byte[] caught = TestObjects.Bytes(2, 300_000);

        disk.WriteFault = new IOException("refused", errno);
        Task<CommitResult> pending = store.WriteAsync(TestObjects.KeyOf(caught), caught);
        await Waiting.UntilAsync(() => store.Statistics.WriteFailure is not null);

        byte[] refused = TestObjects.Bytes(3, 50_000);
        Assert.Equal(CommitResult.StoreFull, await store.WriteAsync(TestObjects.KeyOf(refused), refused));
        Assert.Equal(old, await store.ReadAsync(TestObjects.KeyOf(old)));
        Assert.False(pending.IsCompleted);
        Assert.Equal(caught, await store.ReadAsync(TestObjects.KeyOf(caught))); // verified: it is served from memory

        disk.WriteFault = null;
        store.Health.RetryNow();

        Assert.Equal(CommitResult.Committed, await pending);
        await Waiting.UntilAsync(() => store.Statistics.WriteFailure is null);
        Assert.Equal(CommitResult.Committed, await store.WriteAsync(TestObjects.KeyOf(refused), refused));
    }

    [Fact]
    public async Task Disk_RefusingWrites_WhoWaitsForACommitIsToldAndTheCommitGoesOn()
    {
        FaultyDisk disk = new();
        await using FasterObjectStore store = await OpenAsync(disk);
        byte[] small = TestObjects.Bytes(1, 20_000);
        byte[] large = TestObjects.Bytes(2, 700_000);
        ObjectWriter[] writers = [await AppendAsync(small), await AppendAsync(large)]; // both before the first commit finds the disk full
        disk.WriteFault = FaultyDisk.Full;

        Task<CommitResult>[] commits = [.. writers.Select(writer => writer.CommitAsync())];
        foreach (ObjectWriter writer in writers)
        {
            await writer.DisposeAsync(); // and the writer goes
        }

        foreach (Task<CommitResult> commit in commits)
        {
            Assert.Equal(CommitResult.StoreFull, await store.WaitAsync(commit, CancellationToken.None).InTimeAsync());
        }

        disk.WriteFault = null;
        store.Health.RetryNow();
        Assert.All(await Task.WhenAll(commits).InTimeAsync(), result => Assert.Equal(CommitResult.Committed, result));
        Assert.Equal(small, await store.ReadAsync(TestObjects.KeyOf(small)));
        Assert.Equal(large, await store.ReadAsync(TestObjects.KeyOf(large)));

        async Task<ObjectWriter> AppendAsync(byte[] bytes)
        {
            ObjectWriter writer = store.BeginWrite(TestObjects.KeyOf(bytes), bytes.Length);
            Assert.Null(await writer.AppendAsync(bytes));
            Assert.True(writer.Verify());
            return writer;
        }
    }

    [Fact]
    public async Task Commit_ThatIsWaitedFor_CanBeCalledOff()
    {
        await using FasterObjectStore store = await OpenAsync(new FaultyDisk());
        using CancellationTokenSource told = new();
        Task<CommitResult> wait = store.WaitAsync(new TaskCompletionSource<CommitResult>().Task, told.Token);

        await told.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait.InTimeAsync());
    }

    [Fact]
    public async Task Evict_OnADiskThatRefusesWrites_EndsAndSaysWhy()
    {
        FaultyDisk disk = new();
        await using FasterObjectStore store = await OpenAsync(disk);
        for (int i = 0; store.Statistics.FreshBytes < 3 * store.Log.Segments.SegmentBytes; i++)
        {
            byte[] bytes = TestObjects.Bytes(i, 2_000_000);
            await store.WriteAsync(TestObjects.KeyOf(bytes), bytes);
        }

        disk.WriteFault = FaultyDisk.Full;
        IOException refused = await Assert.ThrowsAsync<IOException>(() => store.EvictToAsync(0).InTimeAsync());
        Assert.Contains("No space left on device", refused.Message, StringComparison.Ordinal);

        disk.WriteFault = null;
        store.Health.RetryNow();
        await Waiting.UntilAsync(() => store.Statistics.WriteFailure is null);
        await store.EvictToAsync(0).InTimeAsync();
        Assert.Equal(0, store.Statistics.Objects);
    }

    [Fact]
    public async Task Open_OnADiskTooFullForAnyStore_IsAFailureOfTheDisk() =>
        Assert.Contains("too full", (await Assert.ThrowsAsync<IOException>(() => FasterObjectStore.OpenAsync(
            new StoreOptions { Path = _directory.Path }, new HookedDisk { Free = 1 << 20 }, TimeProvider.System, NullLogger.Instance,
            CancellationToken.None))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Disk_RefusingWrites_StoreClosesAndKeepsWhatWasAcknowledged()
    {
        FaultyDisk disk = new();
        byte[] old = TestObjects.Bytes(1, 500_000);
        byte[] caught = TestObjects.Bytes(2, 300_000);
        Task<CommitResult> pending;
        Task commit;
        await using (FasterObjectStore store = await OpenAsync(disk))
        {
            await store.WriteAsync(TestObjects.KeyOf(old), old);
            disk.WriteFault = FaultyDisk.Full;
            pending = store.WriteAsync(TestObjects.KeyOf(caught), caught);
            await Waiting.UntilAsync(() => store.Statistics.WriteFailure is not null);
            commit = store.Commits.HurryAsync();
        }

        Assert.Equal(CommitResult.Failed, await pending);
        await commit.InTimeAsync(); // which there will not be: whoever waits for it waits no longer
        await using FasterObjectStore again = await OpenAsync(new FaultyDisk());
        Assert.Equal(old, await again.ReadAsync(TestObjects.KeyOf(old)));
    }

    [Fact]
    public async Task Disk_FailingReads_ObjectIsAMissAndOthersAreServed()
    {
        FaultyDisk disk = new();
        byte[] first = TestObjects.Bytes(1, 500_000);
        byte[] second = TestObjects.Bytes(2, 100_000);
        await using FasterObjectStore store = await OpenAsync(disk);
        await store.WriteAsync(TestObjects.KeyOf(first), first);
        await store.WriteAsync(TestObjects.KeyOf(second), second);

        disk.ReadFault = FaultyDisk.InputOutput;
        await Assert.ThrowsAsync<ObjectDamagedException>(() => store.ReadAsync(TestObjects.KeyOf(second)));
        Assert.False(store.Contains(TestObjects.KeyOf(second)));
        disk.ReadFault = null;

        Assert.Equal(first, await store.ReadAsync(TestObjects.KeyOf(first)));
        Assert.Equal(CommitResult.Committed, await store.WriteAsync(TestObjects.KeyOf(second), second)); // fetched again
        Assert.Equal(second, await store.ReadAsync(TestObjects.KeyOf(second)));
    }

    [Fact]
    public async Task Disk_FailingReadOfWhatWasReadAMomentAgo_ObjectIsAMiss()
    {
        FaultyDisk disk = new();
        byte[] bytes = TestObjects.Bytes(1, 5_000);
        await using FasterObjectStore store = await OpenAsync(disk);
        await store.WriteAsync(TestObjects.KeyOf(bytes), bytes);
        for (int i = 0; disk.HotReads == 0 && i < 100; i++) // a quarter of a second may end between two reads
        {
            Assert.Equal(bytes, await store.ReadAsync(TestObjects.KeyOf(bytes)));
        }

        Assert.True(disk.HotReads > 0);
        disk.ReadFault = FaultyDisk.InputOutput;
        await Assert.ThrowsAsync<ObjectDamagedException>(() => store.ReadAsync(TestObjects.KeyOf(bytes)));
        Assert.False(store.Contains(TestObjects.KeyOf(bytes)));
    }

    [Fact]
    public async Task Document_ThatTheDiskDidNotTake_DoesNotCostTheOneBefore()
    {
        FaultyDisk disk = new();
        StoredDocument old = new(TestObjects.Bytes(1, 100), default, DateTimeOffset.UnixEpoch);
        StoredDocument late = new(TestObjects.Bytes(2, 100), default, DateTimeOffset.UnixEpoch);
        await using (FasterObjectStore store = await OpenAsync(disk))
        {
            await store.Documents.PutAsync("kept", old);
            disk.WriteFault = FaultyDisk.Full;
            for (int i = 0; i < 60; i++) // until the log has no memory left
            {
                await Assert.ThrowsAsync<IOException>(async () => await store.Documents.PutAsync("filling", Large(i)));
            }

            await Assert.ThrowsAsync<IOException>(async () => await store.Documents.PutAsync("kept", late));
            Assert.True(store.Documents.TryGet("kept", out StoredDocument? seen) && seen.Body.Span.SequenceEqual(late.Body.Span));

            disk.WriteFault = null;
            store.Health.RetryNow();
            await Waiting.UntilAsync(() => store.Statistics.WriteFailure is null);
            for (int i = 0; i < 200; i++)
            {
                await store.Documents.PutAsync("filling", Large(i)); // the segment of the old one is given up
            }
        }

        await using FasterObjectStore again = await OpenAsync(new FaultyDisk());
        Assert.True(again.Documents.TryGet("kept", out StoredDocument? found));
        Assert.Equal(late.Body.ToArray(), found.Body.ToArray());

        static StoredDocument Large(int seed) => new(TestObjects.Bytes(seed, 1_000_000), default, DateTimeOffset.UnixEpoch);
    }

    [Fact]
    public async Task Power_LostWithUnsyncedWrites_NothingAcknowledgedIsLostAndNothingWrongServed()
    {
        Dictionary<int, ObjectKey> acknowledged = [];
        int lostSectors = 0;
        for (int round = 0; round < 12 || (lostSectors <= 100 && round < 60); round++) // a fast disk may have synced all at that moment
        {
            FaultyDisk disk = new();
            Random random = new(round);
            await using (FasterObjectStore store = await OpenAsync(disk))
            {
                foreach ((int seed, ObjectKey key) in acknowledged)
                {
                    Assert.Equal(BytesOf(seed), await store.ReadAsync(key));
                }

                int first = 1000 * (round + 1);
                List<Task> writers = [.. Enumerable.Range(first, 60).Select(seed => Task.Run(async () =>
                {
                    ObjectKey key = TestObjects.KeyOf(BytesOf(seed));
                    if (await store.WriteAsync(key, BytesOf(seed)) == CommitResult.Committed)
                    {
                        lock (acknowledged)
                        {
                            acknowledged[seed] = key;
                        }
                    }
                }))];
                while (true)
                {
                    lock (acknowledged)
                    {
                        if (acknowledged.Count >= (round * 20) + random.Next(1, 20))
                        {
                            break;
                        }
                    }

                    await Task.Yield();
                }

                disk.LosePowerAtNextWrite();
                await store.DisposeAsync();
                await Task.WhenAll(writers);
            }

            lostSectors += disk.LoseUnsynced(random);
        }

        await using FasterObjectStore last = await OpenAsync(new FaultyDisk());
        foreach ((int seed, ObjectKey key) in acknowledged)
        {
            Assert.Equal(BytesOf(seed), await last.ReadAsync(key));
        }

        Assert.True(acknowledged.Count > 100 && lostSectors > 100, $"{acknowledged.Count} objects, {lostSectors} sectors");
    }

    private static byte[] BytesOf(int seed) => TestObjects.Bytes(seed, 200 + (seed * 7919 % 700_000));

    private Task<FasterObjectStore> OpenAsync(FaultyDisk disk) => disk.OpenStoreAsync(
        new StoreOptions { Path = _directory.Path, QuotaBytes = 1L << 30, CommitInterval = TimeSpan.FromMilliseconds(1) });
}

using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Documents;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.CacheStore.Tests.Store;

/// <summary>What other tests leave to chance: something happens, or the disk refuses, at one chosen step.</summary>
public sealed class HookedDiskTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Object_StoredAgainWhileTheCleanerCopiesIt_SurvivesARestart()
    {
        HookedDisk disk = new();
        byte[] bytes = TestObjects.Bytes(1, 50_000);
        ObjectKey key = TestObjects.KeyOf(bytes);
        bool hasRun = false;
        await using (FasterObjectStore store = await OpenAsync(disk))
        {
            store.Pins.Put("p", [key]);
            await store.WriteAsync(key, bytes);
            await FillAsync(store, 3);
            disk.BeforeSync = path =>
            {
                if (path.Contains("kept-", StringComparison.Ordinal) && !hasRun)
                {
                    hasRun = true;
                    Assert.True(store.Remove(key));
                    Assert.Equal(CommitResult.Committed, store.WriteAsync(key, bytes).GetAwaiter().GetResult());
                }
            };
            await store.EvictToAsync(4 << 20);
            Assert.True(hasRun);
            Assert.Equal(bytes, await store.ReadAsync(key));
        }

        await using FasterObjectStore again = await OpenAsync(new HookedDisk());
        Assert.Equal(bytes, await again.ReadAsync(key));
    }

    [Fact]
    public async Task Cleaner_RefusedByTheDisk_StoreTakesObjectsAgainWhenTheDiskDoes()
    {
        HookedDisk disk = new();
        await using FasterObjectStore store = await OpenWithPinnedAsync(disk);
        disk.OpenFault = FaultyDisk.Full;
        await EvictOrHearAsync(store, 4 << 20);
        Assert.NotNull(store.Statistics.WriteFailure);
        disk.OpenFault = null;
        byte[] other = TestObjects.Bytes(77, 50_000);
        await Waiting.UntilAsync(async () => await store.WriteAsync(TestObjects.KeyOf(other), other) == CommitResult.Committed);
    }

    [Fact]
    public async Task Segment_WithoutRoomOnTheDisk_LeavesNoFile()
    {
        HookedDisk disk = new();
        await using FasterObjectStore store = await OpenWithPinnedAsync(disk);
        disk.ReserveFault = FaultyDisk.Full;
        for (int i = 0; i < 5; i++)
        {
            await EvictOrHearAsync(store, 4 << 20);
        }

        Assert.Empty(Directory.GetFiles(Path.Combine(_directory.Path, "objects"), "kept-*"));
    }

    [Fact]
    public async Task Segment_ThatCannotBeRead_IsCleanedAndDoesNotStopWrites()
    {
        HookedDisk disk = new();
        await using FasterObjectStore store = await OpenAsync(disk);
        await FillAsync(store, 4);
        disk.ReadFault = path => path.EndsWith("0000000000.seg", StringComparison.Ordinal);
        long used = await store.EvictToAsync(8 << 20);
        Assert.True(used <= 8 << 20, $"{used}");
        Assert.Null(store.Statistics.WriteFailure);
    }

    [Fact]
    public async Task Scrub_OfSegmentsThatCannotBeRead_EndsInAnOrderlyWay()
    {
        HookedDisk disk = new();
        FasterObjectStore store = await OpenAsync(disk);
        await FillAsync(store, 2);
        disk.ReadFault = _ => true;
        Assert.Equal(0, (await store.VerifyAsync(null, isRepairing: true)).Objects);
        disk.ReadFault = null;
        Assert.Equal(42, (await store.VerifyAsync(null, isRepairing: true)).Objects);
        await store.DisposeAsync();
    }

    [Fact]
    public async Task Documents_ThatCannotBeRead_DoNotKeepTheStoreFromStarting()
    {
        await using (FasterObjectStore store = await OpenAsync(new HookedDisk()))
        {
            await store.Documents.PutAsync("a", new StoredDocument(new byte[100], default, DateTimeOffset.UnixEpoch));
        }

        HookedDisk disk =
            new()
            {
                ReadFault = path => path.Contains("documents", StringComparison.Ordinal)
            && path.EndsWith(".seg", StringComparison.Ordinal)
            };
        await using FasterObjectStore again = await OpenAsync(disk);
    }

    [Theory]
    [InlineData("objects/commit")]
    [InlineData("documents/commit")]
    public async Task CommitRecord_ThatCannotBeRead_NothingIsLost(string file)
    {
        byte[] bytes = TestObjects.Bytes(1, 50_000);
        ObjectKey key = TestObjects.KeyOf(bytes);
        for (int start = 0; start < 3; start++) // the last one reads what the one before wrote behind it
        {
            HookedDisk disk = new() { ReadFault = path => start == 1 && path.EndsWith(file, StringComparison.Ordinal) };
            await using FasterObjectStore store = await OpenAsync(disk);
            if (start == 0)
            {
                await store.WriteAsync(key, bytes);
                await store.Documents.PutAsync("a", new StoredDocument(new byte[100], default, DateTimeOffset.UnixEpoch));
            }

            Assert.Equal(bytes, await store.ReadAsync(key));
            Assert.True(store.Documents.TryGet("a", out _));
            byte[] more = TestObjects.Bytes(10 + start, 50_000);
            Assert.Equal(CommitResult.Committed, await store.WriteAsync(TestObjects.KeyOf(more), more));
        }

        await using FasterObjectStore last = await OpenAsync(new HookedDisk());
        Assert.Equal(4, last.Recovered.Objects);
    }

    [Fact]
    public async Task PinSet_ThatCannotBeRead_IsPutAsideAndTheStoreStarts()
    {
        await using (FasterObjectStore store = await OpenAsync(new HookedDisk()))
        {
            store.Pins.Put("good", [TestObjects.KeyOf([1])]);
        }

        File.CreateSymbolicLink(Path.Combine(_directory.Path, "pins", "bad.pins"), "/proc/self/mem"); // reading its first byte is EIO
        await using FasterObjectStore again = await OpenAsync(new HookedDisk());
        Assert.Equal(["good"], again.Pins.List().Select(set => set.Name));
        Assert.NotNull(new FileInfo(Path.Combine(_directory.Path, "pins", "bad.pins.damaged")).LinkTarget);
    }

    [Fact]
    public async Task Health_ReportedFromTwoThreads_NeverThrows()
    {
        using DiskHealth health = new(TimeProvider.System, NullLogger.Instance);
        IOException failure = new("x");
        using CancellationTokenSource end = new(TimeSpan.FromSeconds(1));
        await Task.WhenAll(Repeat(() => health.Report(failure)), Repeat(health.ReportSuccess));

        Task Repeat(Action report) => Task.Run(() =>
        {
            while (!end.IsCancellationRequested)
            {
                report();
            }
        });
    }

    [Fact]
    public async Task Object_ThatMovesWhileItIsOpened_IsFound()
    {
        HookedDisk disk = new();
        byte[] bytes = TestObjects.Bytes(1, 600_000);
        ObjectKey key = TestObjects.KeyOf(bytes);
        await using (FasterObjectStore store = await OpenAsync(disk))
        {
            store.Pins.Put("p", [key]);
            await store.WriteAsync(key, bytes);
            await FillAsync(store, 3);
        }

        disk = new();
        await using FasterObjectStore again = await OpenAsync(disk); // the list of parts is not in memory
        Thread opener = Thread.CurrentThread;
        bool ran = false;
        disk.AfterRead = path =>
        {
            if (!ran && Thread.CurrentThread == opener)
            {
                ran = true;
                again.EvictToAsync(4 << 20).GetAwaiter().GetResult();
                Assert.True(SpinWait.SpinUntil(() => !File.Exists(path), 5000));
            }
        };
        Assert.True(again.TryOpen(key, out ObjectLease? lease));
        Assert.True(ran);
        using (lease)
        {
            Assert.Equal(bytes, await TestObjects.ReadAllAsync(lease));
        }
    }

    [Fact]
    public async Task Page_WithAShortEnd_IsNotCalledDamaged()
    {
        await using (FasterObjectStore store = await OpenAsync(new HookedDisk()))
        {
            long at = BlobLog.FirstAddress; // of a page of 2 MiB, of which 32 bytes stay free
            for (int i = 0; i < 10; i++)
            {
                byte[] bytes = TestObjects.Bytes(i, 200_000);
                await store.WriteAsync(TestObjects.KeyOf(bytes), bytes);
                at += BlobLog.SizeOf(200_000);
            }

            byte[] filling = TestObjects.Bytes(50, (int)((2 << 20) - 32 - at - BlobLog.EntryOverheadBytes));
            await store.WriteAsync(TestObjects.KeyOf(filling), filling);
            byte[] next = TestObjects.Bytes(51, 10_000);
            await store.WriteAsync(TestObjects.KeyOf(next), next);
        }

        await using FasterObjectStore again = await OpenAsync(new HookedDisk());
        Assert.Equal(12, again.Recovered.Objects);
        Assert.Equal(0, again.Recovered.DamagedPages);
    }

    [Fact]
    public async Task Disk_FullAtTheStart_StoreOpens()
    {
        await using (FasterObjectStore store = await OpenAsync(new HookedDisk()))
        {
        }

        File.Delete(Path.Combine(_directory.Path, "lock.pid"));
        File.CreateSymbolicLink(Path.Combine(_directory.Path, "lock.pid"), "/dev/full");
        await using FasterObjectStore again = await OpenAsync(new HookedDisk());
    }

    [Fact]
    public async Task Store_Closed_LeavesNobodyWaiting()
    {
        FasterObjectStore store = await OpenAsync(new HookedDisk());
        await store.DisposeAsync();
        await store.Commits.HurryAsync().WaitAsync(TimeSpan.FromSeconds(10));
        Assert.False(await store.Space.ProgressAsync().WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task Segment_ThatCannotBeDeleted_IsDeletedLaterAndNewObjectsAreTaken()
    {
        HookedDisk disk = new();
        await using FasterObjectStore store = await OpenAsync(disk);
        await FillAsync(store, 4);
        disk.DeleteFault = new UnauthorizedAccessException("no");
        Task evicting = EvictOrHearAsync(store, 8 << 20);
        await Waiting.UntilAsync(() => store.Statistics.WriteFailure is not null);
        disk.DeleteFault = null;
        await evicting;
        await Waiting.UntilAsync(() => store.Statistics.WriteFailure is null);
        await FillAsync(store, 1, 5000);
        await Waiting.UntilAsync(() => !File.Exists(Path.Combine(_directory.Path, "objects", SegmentSet.FileName(0))));
    }

    private static async Task FillAsync(FasterObjectStore store, int segments, int seed = 100)
    {
        for (int i = 0; i < segments * 21; i++)
        {
            byte[] bytes = TestObjects.Bytes(seed + i, 200_000);
            Assert.Equal(CommitResult.Committed, await store.WriteAsync(TestObjects.KeyOf(bytes), bytes));
        }
    }

    /// <summary>A store whose oldest segment holds an object that the cleaner must copy.</summary>
    private async Task<FasterObjectStore> OpenWithPinnedAsync(StoreDisk disk)
    {
        FasterObjectStore store = await OpenAsync(disk);
        byte[] bytes = TestObjects.Bytes(1, 50_000);
        store.Pins.Put("p", [TestObjects.KeyOf(bytes)]);
        await store.WriteAsync(TestObjects.KeyOf(bytes), bytes);
        await FillAsync(store, 3);
        return store;
    }

    private Task<FasterObjectStore> OpenAsync(StoreDisk disk) => FasterObjectStore.OpenAsync(
        new StoreOptions { Path = _directory.Path, QuotaBytes = 64 << 20, MinFreeBytes = 0, CommitInterval = TimeSpan.FromMilliseconds(1) },
        disk, TimeProvider.System, NullLogger.Instance, CancellationToken.None);

    /// <summary>While the disk refuses writes an eviction ends with that, or in vain.</summary>
    private static async Task EvictOrHearAsync(FasterObjectStore store, long bytes)
    {
        try
        {
            await store.EvictToAsync(bytes);
        }
        catch (IOException)
        {
            // It says so.
        }
    }
}

using Breakwater.CacheStore.Pins;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;

namespace Breakwater.CacheStore.Tests.Store;

/// <summary>The power fails while objects are written, pinned, moved to kept segments and evicted.</summary>
public sealed class PowerLossTests : IDisposable
{
    private const int ObjectsOfASet = 8;
    private const int SetsKept = 6;
    private const int Rounds = 16;

    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<string, int[]> _pinned = []; // acknowledged sets, and the seeds of their objects
    private readonly HashSet<int> _stored = []; // acknowledged objects of such sets; locked

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Power_LostWithPinsEvictionAndKeptSegments_PinnedIsThereAndNothingWrongIsRead()
    {
        long evicted = 0;
        long moved = 0;
        int lost = 0;
        for (int round = 0; round < Rounds; round++)
        {
            FaultyDisk disk = new();
            Random random = new(round);
            await using (FasterObjectStore store = await OpenAsync(disk))
            {
                await AssertRightAsync(store);
                Task working = Task.WhenAll(
                    Task.Run(() => PinAndWriteAsync(store, round)),
                    Task.Run(() => FillAsync(store, 100_000 * (round + 1))),
                    Task.Run(() => EvictAsync(store)));
                long enough = 8_000_000 + random.Next(24_000_000);
                await Waiting.UntilAsync(() => store.Statistics.StoredBytes > enough || working.IsCompleted);
                await LosePowerAsync(disk, working, isWhileKeeping: round % 2 == 1);
                evicted += store.Statistics.EvictedObjects;
                moved += store.Statistics.RewrittenBytes;
                await store.DisposeAsync(); // else those who wait for the disk do so for ever
                await working.InTimeAsync();
            }

            lost += disk.LoseUnsynced(random);
        }

        await using FasterObjectStore last = await OpenAsync(new FaultyDisk());
        await AssertRightAsync(last);
        Assert.True(evicted > 100 && moved > 2_000_000 && lost > 20 && _stored.Count > 20,
            $"{evicted} evicted, {moved} bytes moved, {lost} sectors lost, {_stored.Count} pinned");
    }

    /// <summary>
    /// The power fails behind whichever write comes next, or behind one of the cleaner: what it copies is durable in another place then.
    /// </summary>
    private static async Task LosePowerAsync(FaultyDisk disk, Task working, bool isWhileKeeping)
    {
        disk.LosePowerAtNextWrite(
            isWhileKeeping ? static path => Path.GetFileName(path).StartsWith("kept-", StringComparison.Ordinal) : null);
        if (isWhileKeeping)
        {
            await Waiting.UntilAsync(() => disk.IsPowerLost || working.IsCompleted);
            disk.LosePower();
        }
    }

    /// <summary>
    /// Sets that were acknowledged are there as they were, with their objects that were; what the index knows can be read, and is right.
    /// </summary>
    private async Task AssertRightAsync(FasterObjectStore store)
    {
        foreach ((string name, int[] seeds) in _pinned)
        {
            Assert.Equal(seeds.Select(KeyOf), store.Pins.Keys(name));
            foreach (int seed in seeds.Where(_stored.Contains))
            {
                Assert.Equal(BytesOf(seed), await store.ReadAsync(KeyOf(seed)));
            }
        }

        foreach (StoredObjectInfo any in store.List().ToList())
        {
            if (await store.ReadAsync(any.Key) is { } bytes)
            {
                Assert.Equal(any.Key, TestObjects.KeyOf(bytes));
            }
            else
            {
                Assert.Null(store.Find(any.Key)); // evicted meanwhile
            }
        }

        Assert.Equal(0, store.Statistics.DamagedObjects);
        Assert.Empty(Directory.GetFiles(Path.Combine(_directory.Path, "pins"), "*.damaged"));
    }

    private async Task PinAndWriteAsync(FasterObjectStore store, int round)
    {
        for (int set = 0; set < 4; set++)
        {
            string name = $"set {((round * 4) + set) % SetsKept}"; // an older one of this name is replaced
            int[] seeds = [.. Enumerable.Range(((round * 4) + set + 1) * 1000, ObjectsOfASet)];
            int[]? before = _pinned.GetValueOrDefault(name);
            try
            {
                _pinned.Remove(name); // until it is acknowledged, either may be there
                Assert.Equal(PinResult.Pinned, store.Pins.Put(name, [.. seeds.Select(KeyOf)]));
                _pinned[name] = seeds;
            }
            catch (IOException)
            {
                return; // the power is gone
            }

            foreach (int seed in seeds)
            {
                if (await store.WriteAsync(KeyOf(seed), BytesOf(seed)) is CommitResult.Committed or CommitResult.AlreadyPresent)
                {
                    lock (_stored)
                    {
                        _stored.Add(seed);
                    }
                }
            }
        }
    }

    private static async Task FillAsync(FasterObjectStore store, int seed)
    {
        for (int batch = 0; batch < 60; batch++)
        {
            CommitResult[] results =
                await Task.WhenAll(Enumerable.Range(seed + (batch * 10), 10).Select(i => store.WriteAsync(KeyOf(i), BytesOf(i))));
            if (results.Contains(CommitResult.Failed) || results.Contains(CommitResult.StoreFull))
            {
                return;
            }

            for (int i = 0; i < 3; i++)
            {
                if (store.TryOpen(KeyOf(seed + (batch * 10) + i), out ObjectLease? lease))
                {
                    lease.Dispose(); // asked for again: it is kept
                }
            }
        }
    }

    private static async Task EvictAsync(FasterObjectStore store)
    {
        try
        {
            for (int i = 0; i < 3; i++)
            {
                await store.EvictToAsync(24 << 20);
            }
        }
        catch (Exception e) when (e is ObjectDisposedException or IOException)
        {
            // the power is gone: the store is closed, or says that the disk refuses what making room needs
        }
    }

    private static byte[] BytesOf(int seed) => SeededBytes.Make(seed, 20_000 + (seed % 10_000 * 7919 % 500_000));

    private static ObjectKey KeyOf(int seed) => TestObjects.KeyOf(BytesOf(seed));

    private Task<FasterObjectStore> OpenAsync(FaultyDisk disk) => disk.OpenStoreAsync(
        new StoreOptions
        {
            Path = _directory.Path,
            QuotaBytes = 64 << 20,
            MinFreeBytes = 0,
            CommitInterval = TimeSpan.FromMilliseconds(1),
        });
}

using Breakwater.CacheStore.Pins;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;

namespace Breakwater.CacheStore.Tests.Space;

public sealed class QuotaTests : IAsyncLifetime
{
    private const long Quota = StoreOptions.MinQuotaBytes;
    private const long SegmentBytes = 4 << 20;

    private readonly TemporaryDirectory _directory = new();
    private FasterObjectStore _store = null!;

    public async Task InitializeAsync() => _store = await FasterObjectStore.OpenAsync(
        new StoreOptions { Path = _directory.Path, QuotaBytes = Quota, CommitInterval = TimeSpan.FromMilliseconds(1) });

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Store_FilledTenTimes_StaysWithinQuotaAndKeepsPinnedAndHot()
    {
        // 25 % of the quota is pinned, 5 % asked for all the time, the rest comes once
        ObjectKey[] pinned = [.. Enumerable.Range(0, 300).Select(i => KeyOf(i))];
        ObjectKey[] hot = [.. Enumerable.Range(1000, 60).Select(i => KeyOf(i))];
        Assert.Equal(PinResult.Pinned, _store.Pins.Put("boot", pinned));
        foreach (int i in Enumerable.Range(0, 300).Concat(Enumerable.Range(1000, 60)))
        {
            Assert.Equal(CommitResult.Committed, await WriteAsync(i));
        }

        long most = 0;
        for (int batch = 0; batch < 220; batch++)
        {
            CommitResult[] results = await Task.WhenAll(Enumerable.Range(10_000 + (batch * 50), 50).Select(WriteAsync));
            Assert.All(results, result => Assert.Equal(CommitResult.Committed, result));
            foreach (ObjectKey key in hot)
            {
                if (_store.TryOpen(key, out ObjectLease? lease))
                {
                    lease.Dispose();
                }
            }

            most = Math.Max(most, DiskBytes());
        }

        StoreStatistics statistics = _store.Statistics;
        Assert.True(most <= Quota + (2 * SegmentBytes), $"{most} bytes on disk");
        Assert.True(statistics.StoredBytes > 9 * Quota, $"{statistics.StoredBytes}");
        Assert.True(statistics.EvictedObjects > 5000, $"{statistics.EvictedObjects}");
        double amplification = 1 + ((double)statistics.RewrittenBytes / statistics.StoredBytes);
        Assert.True(amplification <= 1.5, $"write amplification {amplification:F2}");
        await AssertAllThereAsync(0, 300);
        await AssertAllThereAsync(1000, 60);

        await _store.DisposeAsync();
        await InitializeAsync();
        await AssertAllThereAsync(0, 300);
        await AssertAllThereAsync(1000, 60);
        Assert.True(DiskBytes() <= Quota + (2 * SegmentBytes));
    }

    /// <summary>What is verified leaves a sixteenth of the quota to bodies that are not yet.</summary>
    [Fact]
    public async Task Store_Full_LeavesRoomForWhatIsBeingWritten()
    {
        for (int i = 0; i < 2_000; i++)
        {
            Assert.Equal(CommitResult.Committed, await WriteAsync(i));
        }

        await Waiting.UntilAsync(() => DiskBytes() <= Quota - (Quota / 16), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Store_Full_DropsWhatAnotherMachineKeepsBeforeWhatIsItsOwn()
    {
        // Ten of each kind, asked for once after they came, and hot ones that another machine keeps, too.
        ObjectKey[] own = [.. Enumerable.Range(0, 10).Select(i => KeyOf(i))];
        ObjectKey[] borrowed = [.. Enumerable.Range(20, 10).Select(i => KeyOf(i))];
        ObjectKey[] hot = [.. Enumerable.Range(40, 10).Select(i => KeyOf(i))];
        HashSet<ObjectKey> elsewhere = [.. borrowed, .. hot];
        _store.IsElsewhere = elsewhere.Contains;
        foreach (int i in Enumerable.Range(0, 10).Concat(Enumerable.Range(20, 10)).Concat(Enumerable.Range(40, 10)))
        {
            Assert.Equal(CommitResult.Committed, await WriteAsync(i));
        }

        Use([.. own, .. borrowed, .. hot, .. hot]);
        for (int i = 1000; !borrowed.All(key => !_store.Contains(key)); i++)
        {
            Assert.True(i < 4_000, "what is borrowed is never dropped");
            await WriteAsync(i);
        }

        Assert.All(own, key => Assert.True(_store.Contains(key)));
        Assert.All(hot, key => Assert.True(_store.Contains(key)));
    }

    [Fact]
    public async Task LongObjects_WrittenPastTheQuota_AreCleanedWholeAndReadRightWhileLeased()
    {
        byte[] first = TestObjects.Bytes(1, 9_000_000);
        ObjectKey key = TestObjects.KeyOf(first);
        await _store.WriteAsync(key, first);
        Assert.True(_store.TryOpen(key, out ObjectLease? lease));
        for (int i = 2; i < 30; i++)
        {
            byte[] bytes = TestObjects.Bytes(i, 9_000_000);
            Assert.Equal(CommitResult.Committed, await _store.WriteAsync(TestObjects.KeyOf(bytes), bytes));
            Assert.Equal(bytes, await _store.ReadAsync(TestObjects.KeyOf(bytes)));
        }

        Assert.Equal(first, await TestObjects.ReadAllAsync(lease));
        lease.Dispose();
        Assert.True(_store.Statistics.EvictedObjects > 10);
    }

    [Fact]
    public async Task SlowWriter_WhoseRoomIsNeeded_IsRefusedAndTheStoreGoesOn()
    {
        byte[] slow = TestObjects.Bytes(1, 4_000_000);
        await using ObjectWriter writer = _store.BeginWrite(TestObjects.KeyOf(slow), null);
        Assert.Null(await writer.AppendAsync(slow.AsMemory(0, 1_000_000)));

        for (int i = 20_000; i < 22_600; i++)
        {
            Assert.Equal(CommitResult.Committed, await WriteAsync(i));
        }

        Assert.Equal(CommitResult.StoreFull, await writer.AppendAsync(slow.AsMemory(1_000_000)));
        byte[] buffer = new byte[1000];
        Assert.Equal(1000, await writer.ReadAsync(500_000, buffer));
        Assert.Equal(slow[500_000..501_000], buffer);
    }

    [Fact]
    public async Task PinnedObjects_BeyondTheLimit_AreRefused()
    {
        for (int i = 0; i < 1000; i++)
        {
            await WriteAsync(i);
        }

        Assert.Equal(PinResult.Pinned, _store.Pins.Put("most", [.. Enumerable.Range(200, 600).Select(KeyOf)]));
        Assert.Equal(PinResult.OverLimit, _store.Pins.Put("too much", [.. Enumerable.Range(0, 1000).Select(KeyOf)]));
        Assert.Equal(["most"], _store.Pins.List().Select(set => set.Name));
        Assert.True(_store.Pins.Bytes <= _store.Pins.MaxBytes);
    }

    [Fact]
    public async Task PinNames_OfAnyLetters_AreKeptOrRefusedAsTooLong()
    {
        string name = "räksmörgås/" + new string('ü', 20);
        Assert.Equal(PinResult.Pinned, _store.Pins.Put(name, [KeyOf(1)]));
        Assert.Throws<ArgumentException>(() => _store.Pins.Put(new string('ü', 100), [KeyOf(1)])); // 600 characters as a file's name

        await _store.DisposeAsync();
        await InitializeAsync();
        Assert.Equal([name], _store.Pins.List().Select(set => set.Name));
    }

    private void Use(params ReadOnlySpan<ObjectKey> keys)
    {
        foreach (ObjectKey key in keys)
        {
            Assert.True(_store.TryOpen(key, out ObjectLease? lease));
            lease.Dispose();
        }
    }

    private async Task AssertAllThereAsync(int first, int count)
    {
        for (int i = first; i < first + count; i++)
        {
            Assert.Equal(BytesOf(i), await _store.ReadAsync(KeyOf(i)));
        }
    }

    private Task<CommitResult> WriteAsync(int number) => _store.WriteAsync(KeyOf(number), BytesOf(number));

    private static byte[] BytesOf(int number) => TestObjects.Bytes(number, 30_000 + (number * 7919 % 60_000));

    private static ObjectKey KeyOf(int number) => TestObjects.KeyOf(BytesOf(number));

    private long DiskBytes() =>
        new DirectoryInfo(Path.Combine(_directory.Path, "objects")).EnumerateFiles("*.seg").Sum(file => file.Exists ? file.Length : 0);
}

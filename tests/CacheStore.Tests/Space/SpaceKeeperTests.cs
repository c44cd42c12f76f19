using Breakwater.CacheStore.Index;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Quotas;
using Breakwater.CacheStore.Space;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.CacheStore.Tests.Space;

/// <summary>Whose turn it is to make room, and what is known of those that were moved or let go.</summary>
public sealed class SpaceKeeperTests : IAsyncLifetime
{
    private const long SegmentBytes = 4 << 20;
    private const int ObjectBytes = 200_000; // 20 of them are in a segment
    private const int OfASegment = 20;

    private static readonly StoreShare s_greedy = new("greedy.example.org", 1 << 20);

    private readonly TemporaryDirectory _directory = new();
    private readonly HookedDisk _disk = new() { Free = 1L << 40 };
    private readonly List<ObjectKey> _fresh = [];
    private FasterObjectStore _store = null!;

    public async Task InitializeAsync()
    {
        StoreOptions options = new()
        {
            Path = _directory.Path,
            QuotaBytes = 64 << 20,
            MinFreeBytes = 0,
            CommitInterval = TimeSpan.FromMilliseconds(1)
        };
        options.Count([s_greedy]);
        _store = await FasterObjectStore.OpenAsync(
            options, _disk, TimeProvider.System, NullLogger.Instance, CancellationToken.None);
    }

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task Evict_BesideASegmentThatStays_TakesTheNextOneHoweverHotItWas(int uses)
    {
        (ObjectKey[] staying, ObjectKey[] next) = await KeepThreeSegmentsAsync();
        Use(uses, next);

        await _store.EvictToAsync(3 * SegmentBytes).InTimeAsync();

        Assert.Equal(2 * SegmentBytes, _store.Statistics.KeptBytes);
        Assert.All(staying, key => Assert.True(_store.Contains(key)));
        Assert.DoesNotContain(next, key => _store.Contains(key));
    }

    [Fact]
    public async Task Object_ThatIsMoved_BeginsWithNoUseAndLosesOneLater()
    {
        (_, ObjectKey[] next) = await KeepThreeSegmentsAsync(uses: 1);
        Assert.Equal((true, 0), PlaceOf(KeyOf(125))); // in the segment that is being filled: no round has passed
        ObjectKey hot = next[7];
        Use(3, hot);
        Assert.True(_store.Table.TryGet(hot, out IndexEntry before));

        await _store.EvictToAsync(3 * SegmentBytes).InTimeAsync();

        Assert.Equal((true, 2), PlaceOf(hot));
        Assert.True(_store.Table.TryGet(hot, out IndexEntry after));
        Assert.NotEqual(before.Address, after.Address);
        Assert.All(next, key => Assert.Equal(key == hot, _store.Contains(key)));
    }

    /// <summary>What left the fresh log unasked for has proven itself when it comes back; what cooled down has had its time.</summary>
    [Fact]
    public async Task Object_ThatComesBack_IsKnownIfItLeftTheFreshLog()
    {
        (_, ObjectKey[] next) = await KeepThreeSegmentsAsync();
        await _store.EvictToAsync(3 * SegmentBytes).InTimeAsync();
        Assert.DoesNotContain(next, key => _store.Contains(key) || _store.Space.Ghosts.Contains(key.GetHashCode64()));
        int back = _fresh.FindIndex(key => !_store.Contains(key) && _store.Space.Ghosts.Contains(key.GetHashCode64()));
        Assert.True(back >= 0);

        await WriteAsync(1000 + back, 1);
        await WriteAsync(5000, 1);

        Assert.Equal((false, 1), PlaceOf(_fresh[back]));
        Assert.Equal((false, 0), PlaceOf(KeyOf(5000)));
    }

    [Fact]
    public async Task Evict_ThatIsDone_IsNoLimitOfWhatComesLater()
    {
        await WriteAsync(1000, 3 * OfASegment);
        await _store.EvictToAsync(SegmentBytes).InTimeAsync();
        long evicted = _store.Statistics.EvictedObjects;
        Assert.NotEqual(0, evicted);

        await WriteAsync(2000, 3 * OfASegment);
        await _store.RoomIsMadeAsync();

        Assert.Equal(evicted, _store.Statistics.EvictedObjects);
    }

    /// <summary>One target at a time: the second operator waits, and asks for less than there is by then.</summary>
    [Fact]
    public async Task Evictions_AtOnce_EachReachTheirTarget()
    {
        await WriteAsync(1000, 4 * OfASegment);

        Task<long> lower = _store.EvictToAsync(SegmentBytes);
        Task<long> higher = _store.EvictToAsync(3 * SegmentBytes);

        Assert.Equal((SegmentBytes, SegmentBytes), (await lower.InTimeAsync(), await higher.InTimeAsync()));
    }

    /// <summary>Nobody waits for room, nothing is removed: the commits alone are heard.</summary>
    [Fact]
    public async Task Segment_ThatIsFull_HasItsTableSoon()
    {
        await WriteAsync(1000, OfASegment + 2);

        await Waiting.UntilAsync(() => File.Exists(_store.Log.Segments.TablePathOf(0)));
    }

    /// <summary>Long objects with damage in the list of their parts: the cleaner lets them go, and goes on.</summary>
    [Fact]
    public async Task LongObject_WhoseListOfPartsIsDamaged_IsAMissOnceItsSegmentIsCleaned()
    {
        byte[] bytes = TestObjects.Bytes(1, 700_000);
        ObjectKey key = TestObjects.KeyOf(bytes);
        List<ObjectKey> told = [];
        _store.Damaged = told.Add;
        _store.Pins.Put("p", [key]);
        Assert.Equal(CommitResult.Committed, await _store.WriteAsync(key, bytes));
        await WriteAsync(1000, 2 * OfASegment);
        Assert.True(_store.Table.TryGet(key, out IndexEntry entry) && entry.IsSealed);
        using (FileStream file = new(_store.Log.Segments.PathOf(0), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            file.Position = entry.Address + BlobLog.EntryOverheadBytes;
            file.WriteByte(0xff);
        }

        await _store.EvictToAsync(SegmentBytes).InTimeAsync();

        Assert.Equal([key], told);
        Assert.False(_store.Contains(key));
        Assert.Equal(0, _store.Pins.Bytes);
    }

    /// <summary>What an upstream sent first under this name was wrong, and had more parts.</summary>
    [Fact]
    public async Task LongObject_BehindALongerWrongBodyOfItsKey_IsMovedWhole()
    {
        byte[] bytes = TestObjects.Bytes(1, 600_000);
        ObjectKey key = TestObjects.KeyOf(bytes);
        _store.Pins.Put("p", [key]);
        await using (ObjectWriter wrong = _store.BeginWrite(key, null))
        {
            await wrong.AppendAsync(TestObjects.Bytes(2, 1_500_000));
            Assert.False(wrong.Verify());
        }

        Assert.Equal(CommitResult.Committed, await _store.WriteAsync(key, bytes));
        await WriteAsync(1000, 2 * OfASegment);

        await _store.EvictToAsync(SegmentBytes).InTimeAsync();

        Assert.True(PlaceOf(key).IsKept);
        Assert.Equal(bytes, await _store.ReadAsync(key));
    }

    /// <summary>A sixteenth of the quota and two segments are left to what has no digest yet; that itself evicts nothing.</summary>
    [Fact]
    public async Task Keeper_OneByteBeyondItsLimits_IsDueAndFull()
    {
        const long Quota = 64 << 20;
        const long Reserve = (Quota / 16) + (2 * SegmentBytes);
        await WriteAsync(1000, (2 * OfASegment) + 3);
        await using (ObjectWriter wrong = _store.BeginWrite(KeyOf(1), null))
        {
            await wrong.AppendAsync(new byte[1_000_000]);
        }

        await using ObjectWriter writer = _store.BeginWrite(KeyOf(2), null);
        await writer.AppendAsync(new byte[700_000]);
        (long writing, long dead) = (_store.Unverified.Writing, _store.Unverified.Dead);
        Assert.True(writing > 400_000 && dead > 700_000);
        long verified = _store.Log.TailAddress - writing - dead;
        long others = 0;
        await using SpaceKeeper keeper = new(_store.Table, _store.Log, _store.Commits, _store.Unverified, _store.Health,
            new SpaceLimits(Quota, 1_000_000, () => others), NullLogger.Instance);
        Assert.Equal(3 * SegmentBytes, keeper.UsedBytes);

        others = Quota - Reserve - verified;
        Assert.Equal((false, false), (keeper.IsEvictionDue, keeper.IsFull));
        others++;
        Assert.Equal((true, false), (keeper.IsEvictionDue, keeper.IsFull));
        others = Quota + SegmentBytes - keeper.UsedBytes;
        Assert.False(keeper.IsFull);
        others++;
        Assert.True(keeper.IsFull);

        others = 0;
        _disk.Free = verified + Reserve + 1_000_000 - keeper.UsedBytes; // what others leave of the disk
        Assert.False(keeper.IsEvictionDue);
        _disk.Free--;
        Assert.True(keeper.IsEvictionDue);
    }

    /// <summary>
    /// What a party has beyond its quota makes room for all; while writers wait for room the oldest segment does, whosever it is.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Segment_OfOthers_IsSparedForAGreedyPartysUnlessTheStoreIsFull(bool isFull)
    {
        await WriteAsync(1000, OfASegment);
        await WriteAsync(2000, 2 * OfASegment, s_greedy.Mark);
        await WriteAsync(3000, 2, s_greedy.Mark);
        Assert.True(_store.Shares.FreshExcess > SegmentBytes);
        SpaceLimits limits = new(64 << 20, 0, () => isFull ? 64 << 20 : 0); // what named bodies take of the quota
        await using SpaceKeeper keeper = new(
            _store.Table, _store.Log, _store.Commits, _store.Unverified, _store.Health, limits, NullLogger.Instance);
        Assert.Equal(isFull, keeper.IsFull);

        await keeper.EvictToAsync(3 * SegmentBytes, default).InTimeAsync();

        Assert.Equal(isFull ? 0 : OfASegment, Keys(1000, OfASegment).Count(key => _store.Contains(key)));
    }

    /// <summary>From a whole segment on, what a party has too much makes the room that is wanted.</summary>
    [Theory]
    [InlineData(SegmentBytes, OfASegment)]
    [InlineData(SegmentBytes - 1, 0)]
    public async Task Segment_OfOthers_IsSparedForAnExcessOfAWholeSegment(long excess, int spared)
    {
        await WriteAsync(1000, OfASegment);
        await WriteAsync(2000, (2 * OfASegment) + 2, s_greedy.Mark);
        _store.Shares.Replace([s_greedy with { QuotaBytes = (((2 * OfASegment) + 2) * ObjectBytes) - excess }]);
        Assert.Equal(excess, _store.Shares.FreshExcess);

        await _store.Space.EvictToAsync(3 * SegmentBytes, default).InTimeAsync();

        Assert.Equal(spared, Keys(1000, OfASegment).Count(key => _store.Contains(key)));
    }

    /// <summary>
    /// Three kept segments: most of the first is pinned, the second is not, the third is being filled; and one fresh one. Objects that were
    /// never pinned have left the fresh log by that.
    /// </summary>
    private async Task<(ObjectKey[] Staying, ObjectKey[] Next)> KeepThreeSegmentsAsync(int uses = 0)
    {
        ObjectKey[] pinned = Keys(0, 15);
        ObjectKey[] moved = Keys(100, 30);
        _store.Pins.Put("pinned", pinned);
        _store.Pins.Put("moved", moved);
        await WriteAsync(0, 15);
        await WriteAsync(100, 5);
        await WriteAsync(105, OfASegment);
        await WriteAsync(125, 5);
        await WriteAsync(1000, OfASegment + 2);
        _fresh.AddRange(Keys(1000, OfASegment + 2));
        Use(uses, moved);
        await _store.EvictToAsync(SegmentBytes).InTimeAsync();
        Assert.Equal((SegmentBytes, 3 * SegmentBytes), (_store.Statistics.FreshBytes, _store.Statistics.KeptBytes));
        Assert.True(_store.Pins.Remove("moved"));
        return (pinned, moved[5..25]);
    }

    private (bool IsKept, int Frequency) PlaceOf(ObjectKey key)
    {
        Assert.True(_store.Table.TryGet(key, out IndexEntry entry));
        return (SegmentSet.IsKept(_store.Log.Segments.IdOf(entry.Address)), _store.Table.FrequencyOf(entry));
    }

    private void Use(int times, params ReadOnlySpan<ObjectKey> keys)
    {
        for (int i = 0; i < times; i++)
        {
            foreach (ObjectKey key in keys)
            {
                Assert.True(_store.TryOpen(key, out ObjectLease? lease));
                lease.Dispose();
            }
        }
    }

    private async Task WriteAsync(int first, int count, ushort mark = 0) => Assert.All(
        await Task.WhenAll(Enumerable.Range(first, count).Select(
            i => _store.WriteAsync(KeyOf(i), TestObjects.Bytes(i, ObjectBytes), mark: mark))).InTimeAsync(),
        static result => Assert.Equal(CommitResult.Committed, result));

    private static ObjectKey[] Keys(int first, int count) => [.. Enumerable.Range(first, count).Select(KeyOf)];

    private static ObjectKey KeyOf(int i) => TestObjects.KeyOf(TestObjects.Bytes(i, ObjectBytes));
}

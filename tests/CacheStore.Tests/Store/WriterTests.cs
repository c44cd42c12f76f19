using Breakwater.CacheStore.Index;
using Breakwater.CacheStore.Space;
using Breakwater.CacheStore.Staging;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.CacheStore.Tests.Store;

/// <summary>What a writer holds, and lets go of; how its object is read while it is held.</summary>
public sealed class WriterTests : IAsyncLifetime
{
    private const int MostBytes = 1 << 20;

    private readonly TemporaryDirectory _directory = new();
    private readonly HookedDisk _disk = new();
    private FasterObjectStore _store = null!;

    public async Task InitializeAsync() => _store = await FasterObjectStore.OpenAsync(
        new StoreOptions
        {
            Path = _directory.Path,
            QuotaBytes = 64 << 20,
            MinFreeBytes = 0,
            MaxObjectBytes = MostBytes,
            CommitInterval = TimeSpan.FromMilliseconds(1)
        },
        _disk, TimeProvider.System, NullLogger.Instance, CancellationToken.None);

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    /// <summary>Its followers may take minutes to read to the end: the store does not wait for them with what it took.</summary>
    [Fact]
    public async Task Writer_ThatIsRefused_IsInNobodysWayWhileItIsHeld()
    {
        byte[] bytes = TestObjects.Bytes(1, MostBytes + 1);
        await using ObjectWriter writer = _store.BeginWrite(TestObjects.KeyOf(bytes), null);
        Assert.Null(await writer.AppendAsync(bytes.AsMemory(0, MostBytes)));
        Assert.NotEqual(0, _store.Unverified.Writing);
        Assert.NotNull(_store.Commits.Oldest());

        Assert.Equal(CommitResult.TooLarge, await writer.AppendAsync(bytes.AsMemory(MostBytes)));

        Assert.Equal(0, _store.Unverified.Writing);
        Assert.NotEqual(0, _store.Unverified.Dead);
        Assert.Null(_store.Commits.Oldest());
        Assert.True(writer.Verify());
        Assert.Equal(CommitResult.TooLarge, await writer.CommitAsync());
        Assert.Equal(0, _store.Commits.Watched);
    }

    /// <summary>Uses while the object is staged count as those later do, up to three.</summary>
    [Theory]
    [InlineData(0, 0)]
    [InlineData(2, 2)]
    [InlineData(5, 3)]
    public async Task Object_OpenedBeforeItIsDurable_IsAsHotAsThat(int uses, int expected)
    {
        byte[] bytes = TestObjects.Bytes(1, 1_000);
        ObjectKey key = TestObjects.KeyOf(bytes);
        await using ObjectWriter writer = _store.BeginWrite(key, null);
        await writer.AppendAsync(bytes);
        Assert.True(writer.Verify());
        for (int i = 0; i < uses; i++)
        {
            Assert.True(_store.TryOpen(key, out ObjectLease? lease));
            lease.Dispose();
        }

        Assert.Equal(CommitResult.Committed, await writer.CommitAsync());

        Assert.True(_store.Table.TryGet(key, out IndexEntry entry));
        Assert.Equal(expected, _store.Table.FrequencyOf(entry));
    }

    /// <summary>A disk may give less than it is asked for; what is read in pieces is the object all the same.</summary>
    [Theory]
    [InlineData(50_000)]
    [InlineData(300_000)]
    public async Task Object_ThatTheDiskGivesInPieces_IsReadWholeByItsWriterAndByOthers(int length)
    {
        byte[] bytes = TestObjects.Bytes(1, length);
        ObjectKey key = TestObjects.KeyOf(bytes);
        await using ObjectWriter writer = _store.BeginWrite(key, null);
        await writer.AppendAsync(bytes);
        Assert.True(writer.Verify());
        Assert.Equal(CommitResult.Committed, await writer.CommitAsync());
        byte[] read = new byte[1_000];
        Assert.Equal(1_000, writer.TryRead(20_000, read)); // from the file by now
        Assert.Equal(bytes[20_000..21_000], read);

        _disk.MostAtOnce = 4_096;
        _disk.IsCold = true;

        Assert.Equal(1_000, await writer.ReadAsync(30_000, read));
        Assert.Equal(bytes[30_000..31_000], read);
        Assert.True(_store.TryOpen(key, out ObjectLease? lease));
        using ObjectLease held = lease;
        Assert.Equal(bytes, await TestObjects.ReadAllAsync(held));
    }

    /// <summary>The hit that costs least: a lease that was given back is used again, and holds what it holds once.</summary>
    [Fact]
    public async Task Lease_ThatIsOpenedAgain_IsTheSameOne()
    {
        byte[] first = TestObjects.Bytes(1, 1_000);
        byte[] second = TestObjects.Bytes(2, 2_000);
        await _store.WriteAsync(TestObjects.KeyOf(first), first);
        await _store.WriteAsync(TestObjects.KeyOf(second), second);
        Assert.True(_store.TryOpen(TestObjects.KeyOf(first), out ObjectLease? opened));
        opened.Dispose();
        ObjectLease? lease = opened;

        Assert.True(_store.TryReopen(TestObjects.KeyOf(second), ref lease));

        Assert.Same(opened, lease);
        Assert.Equal(second, await TestObjects.ReadAllAsync(lease));
        lease.Dispose();
        Assert.False(_store.TryReopen(TestObjects.KeyOf([1]), ref lease));
    }

    /// <summary>Who is asked to give way: the one that holds up the cleaner, or the one that takes most.</summary>
    [Fact]
    public async Task Writers_OfSeveralObjects_AreToldByAgeAndBySize()
    {
        Assert.Null(_store.Commits.Oldest());
        Assert.Null(_store.Commits.LargestUnverified());
        await using ObjectWriter first = _store.BeginWrite(TestObjects.KeyOf([1]), null);
        await first.AppendAsync(new byte[600_000]);
        long floor = _store.Commits.LowestUnpublishedAddress;
        await using ObjectWriter second = _store.BeginWrite(TestObjects.KeyOf([2]), null);
        await second.AppendAsync(new byte[900_000]);
        Assert.Equal(TestObjects.KeyOf([1]), _store.Commits.Oldest()!.Key);
        Assert.Equal(TestObjects.KeyOf([2]), _store.Commits.LargestUnverified()!.Key);
        Assert.Equal(floor, _store.Commits.LowestUnpublishedAddress);
        Assert.InRange(_store.Commits.PublishedUntilAddress, 0, floor);

        _store.Unverified.Revoke(_store.Commits.LargestUnverified()!);
        Assert.Equal(TestObjects.KeyOf([1]), _store.Commits.LargestUnverified()!.Key);
        _store.Unverified.Revoke(_store.Commits.Oldest()!);

        Assert.Null(_store.Commits.Oldest());
        Assert.Null(_store.Commits.LargestUnverified());
        Assert.Equal(long.MaxValue, _store.Commits.LowestUnpublishedAddress);
    }

    /// <summary>Commits of many objects are made together; who is in a hurry does not wait for the others.</summary>
    [Fact]
    public async Task Commit_OfAnObject_IsMadeAfterTheIntervalOrAtOnceWhenItIsHurried()
    {
        FakeTimeProvider time = new();
        await using FasterObjectStore store = await FasterObjectStore.OpenAsync(
            new StoreOptions { Path = Path.Combine(_directory.Path, "slow"), QuotaBytes = 64 << 20, MinFreeBytes = 0 }, time);
        byte[] bytes = TestObjects.Bytes(1, 1_000);
        Task<CommitResult> hurried = store.WriteAsync(TestObjects.KeyOf(bytes), bytes);
        Assert.False(hurried.IsCompleted); // the clock stands still
        await store.Commits.HurryAsync().InTimeAsync();
        store.Commits.Hurry(); // the commit before may have begun before this object was there
        Assert.Equal(CommitResult.Committed, await hurried.InTimeAsync());

        byte[] other = TestObjects.Bytes(2, 1_000);
        Task<CommitResult> patient = store.WriteAsync(TestObjects.KeyOf(other), other);
        await Waiting.UntilAsync(() =>
        {
            time.Advance(patient.IsCompleted ? TimeSpan.Zero : TimeSpan.FromMilliseconds(200));
            return patient.IsCompleted;
        });
        Assert.Equal(CommitResult.Committed, await patient);
    }

    /// <summary>Others have all of the quota, and the cleaner finds nothing: nobody waits for ever.</summary>
    [Fact]
    public async Task Room_ThatCannotBeMade_IsRefusedAfterAFewRounds()
    {
        const long Quota = 64 << 20;
        await using SpaceKeeper full = new(_store.Table, _store.Log, _store.Commits, _store.Unverified, _store.Health,
            new SpaceLimits(Quota, 0, static () => 2 * Quota), NullLogger.Instance);
        Intake intake = new(_store.Table, _store.Log, _store.Commits, _store.Unverified, full, _store.Health, Quota, MostBytes);
        StagedObject staged = new(TestObjects.KeyOf([1]), _store.Log.Segments, intake.Budget);
        Assert.True(full.IsFull);

        Assert.Equal(CommitResult.StoreFull, await intake.WaitForRoomAsync(staged, default).AsTask().InTimeAsync());
        intake.Close();
        Assert.Equal(CommitResult.Failed, await intake.WaitForRoomAsync(staged, default).AsTask().InTimeAsync());
    }

    [Fact]
    public async Task Staging_BeyondItsBudgetWhileTheDiskRefuses_IsToldSo()
    {
        Intake intake = new(_store.Table, _store.Log, _store.Commits, _store.Unverified, _store.Space, _store.Health, 64 << 20, MostBytes);
        intake.Budget.Add(4 << 20); // a sixteenth of the quota
        _store.Health.Report(FaultyDisk.Full);
        Assert.Null(await intake.WaitForStagingAsync(default).InTimeAsync());
        intake.Budget.Add(1);
        Assert.Equal(CommitResult.StoreFull, await intake.WaitForStagingAsync(default).InTimeAsync());
        intake.Close();
        Assert.Equal(CommitResult.Failed, await intake.WaitForStagingAsync(default).InTimeAsync());
        _store.Health.ReportSuccess();
    }
}

using Breakwater.CacheStore.Spooling;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.CacheStore.Tests.Spooling;

public sealed class GrowingObjectTests : IAsyncLifetime
{
    private const int MaxObjectBytes = 2 << 20;
    private const int Own = OverflowWindow.OwnBytes;

    private readonly TemporaryDirectory _directory = new();
    private readonly OverflowBudget _budget = new(16 << 20);
    private FasterObjectStore _store = null!;

    public async Task InitializeAsync() => _store = await FasterObjectStore.OpenAsync(
        new StoreOptions
        {
            Path = _directory.Path,
            QuotaBytes = 64 << 20,
            MinFreeBytes = 0,
            MaxObjectBytes = MaxObjectBytes,
            CommitInterval = TimeSpan.FromMilliseconds(1)
        });

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(900_000)] // parts of it are in the log
    [InlineData(3_000_000)] // its end is in the window of memory
    public async Task Follower_ReadsWhatIsReleasedAndNotOneByteMore(int length)
    {
        byte[] bytes = TestObjects.Bytes(1, length);
        GrowingObject body = await BeginAsync(bytes);
        await using GrowingReader reader = body.TryOpenReader()!;
        byte[] buffer = new byte[length];
        Assert.Equal(0, await body.ReadAsync(0, buffer, default));
        foreach (int released in (int[])[1, length / 2, length - 64, length - 1])
        {
            body.Release(released);
            body.Release(released / 2); // never goes back
            Assert.Equal(released, body.Released);
            byte[] read = await ReadAllAsync(body);
            Assert.Equal(bytes[..released], read);
            Assert.Equal(0, await body.ReadAsync(released, buffer, default));
            Assert.Equal(1, await body.ReadAsync(released - 1, buffer, default));
            Assert.False(body.TryGetMapped(released, out _, out _));
            if (body.TryGetMapped(released - 1, out MappedRun last, out IDisposable? hold))
            {
                Assert.Equal(1, last.Length);
                hold?.Dispose();
            }
        }

        Assert.True(body.TryVerify());
        Assert.Equal(bytes, await ReadAllAsync(body));
        await body.ReleaseHoldAsync();
    }

    [Theory]
    [InlineData(Own, false)]
    [InlineData(Own + 1, true)]
    [InlineData(6 << 20, true)]
    public async Task Body_ThatTheStoreDoesNotTake_GivesItsMemoryBackWithTheLastHold(int beyond, bool takesOfTheBudget)
    {
        byte[] bytes = TestObjects.Bytes(2, MaxObjectBytes + beyond);
        GrowingObject body = await BeginAsync(bytes);
        Assert.Equal(CommitResult.TooLarge, body.Refusal);
        Assert.Equal(takesOfTheBudget, _budget.Taken > 0);
        Assert.Equal(Math.Max(0, beyond - Own), _budget.Taken);
        GrowingReader reader = body.TryOpenReader()!;

        body.Break();
        await body.ReleaseHoldAsync();
        Assert.Equal(takesOfTheBudget, _budget.Taken > 0);
        await reader.DisposeAsync();
        await reader.DisposeAsync(); // once more is nothing

        Assert.Equal(0, _budget.Taken);
        Assert.Null(body.TryOpenReader());
        Assert.Equal(0, _store.Unverified.Writing);
        Assert.Equal(long.MaxValue, _store.Commits.LowestUnpublishedAddress);
        await Waiting.UntilAsync(() => _store.Budget is { Bytes: 0, Buffers: 0 });
    }

    /// <summary>What a follower that stands still holds back has a bound, and is given up after five seconds.</summary>
    [Theory]
    [InlineData(0, Own)]                                // all of the budget is others'
    [InlineData(1 << 30, OverflowWindow.MaxBytes)]
    public async Task Writer_AFollowerStandsStill_WaitsFiveSecondsAndGoesOnWithoutIt(int budgetBytes, int most)
    {
        OverflowBudget budget = new(budgetBytes);
        FakeTimeProvider time = new();
        byte[] bytes = TestObjects.Bytes(3, MaxObjectBytes + most + 1);
        GrowingObject body = await BeginAsync(bytes[..MaxObjectBytes], budget, time);
        await using GrowingReader reader = body.TryOpenReader()!;
        await AppendAsync(body, bytes[MaxObjectBytes..^1]);
        Assert.Equal(most - Own, budget.Taken);
        long began = time.GetTimestamp();

        Task last = body.AppendAsync(bytes.AsMemory(bytes.Length - 1), default).AsTask();
        Assert.False(last.IsCompleted);
        await Waiting.UntilAsync(() =>
        {
            time.Advance(last.IsCompleted ? TimeSpan.Zero : TimeSpan.FromMilliseconds(250));
            return last.IsCompleted;
        });

        Assert.True(time.GetElapsedTime(began) >= TimeSpan.FromSeconds(5));
        Assert.InRange(budget.Taken, 0, most - Own);
        body.Release(bytes.Length - 1);
        await Assert.ThrowsAsync<IOException>(async () => await body.ReadAsync(MaxObjectBytes, new byte[1], default));
        Assert.Equal(1, await body.ReadAsync(bytes.Length - 2, new byte[1], default));
        body.Break();
        await body.ReleaseHoldAsync();
    }

    /// <summary>Memory is short, and a follower reads on: the writer goes on in that moment, whatever the clock shows.</summary>
    [Fact]
    public async Task Writer_WhoseFollowerReadsOn_GoesOnAtOnce()
    {
        byte[] bytes = TestObjects.Bytes(3, MaxObjectBytes + Own + 1);
        GrowingObject body = await BeginAsync(bytes[..^1], new OverflowBudget(0), new FakeTimeProvider());
        await using GrowingReader reader = body.TryOpenReader()!;
        Task last = body.AppendAsync(bytes.AsMemory(bytes.Length - 1), default).AsTask();
        Assert.False(last.IsCompleted);

        reader.MoveTo(bytes.Length - 1);

        await last.InTimeAsync();
        await body.ReleaseHoldAsync();
    }

    [Fact]
    public async Task Follower_ThatWaits_IsWokenByWhateverHappensAndNotBefore()
    {
        byte[] bytes = TestObjects.Bytes(4, 1_000);
        GrowingObject body = await BeginAsync(bytes);
        Task waiting = body.WaitBeyondAsync(0);
        Assert.Same(waiting, body.WaitBeyondAsync(0));
        Assert.False(waiting.IsCompleted);
        body.Release(500);
        Assert.True(waiting.IsCompleted);
        Assert.True(body.WaitBeyondAsync(499).IsCompleted);

        waiting = body.WaitBeyondAsync(500);
        body.Release(500); // nothing new
        Assert.False(waiting.IsCompleted);
        body.Wake();
        Assert.True(waiting.IsCompleted);

        waiting = body.WaitBeyondAsync(500);
        Assert.False(waiting.IsCompleted);
        Assert.True(body.TryVerify());
        Assert.True(waiting.IsCompleted);
        Assert.True(body.WaitBeyondAsync(1_000).IsCompleted); // nothing more comes
        await body.ReleaseHoldAsync();

        GrowingObject broken = await BeginAsync(bytes);
        waiting = broken.WaitBeyondAsync(0);
        Assert.False(waiting.IsCompleted);
        broken.Break();
        Assert.True(waiting.IsCompleted);
        Assert.True(broken.WaitBeyondAsync(0).IsCompleted);
        await broken.ReleaseHoldAsync();
    }

    private async Task<GrowingObject> BeginAsync(byte[] bytes, OverflowBudget? budget = null, TimeProvider? time = null)
    {
        GrowingObject body = new(_store.BeginWrite(TestObjects.KeyOf(bytes), null), budget ?? _budget, time ?? TimeProvider.System);
        await AppendAsync(body, bytes);
        return body;
    }

    private static async Task AppendAsync(GrowingObject body, byte[] bytes)
    {
        for (int at = 0; at < bytes.Length; at += 64 << 10)
        {
            await body.AppendAsync(bytes.AsMemory(at, Math.Min(64 << 10, bytes.Length - at)), default);
        }
    }

    private static async Task<byte[]> ReadAllAsync(GrowingObject body)
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[100_000];
        for (int n; (n = await body.ReadAsync(all.Length, buffer, default)) > 0;)
        {
            all.Write(buffer, 0, n);
        }

        return all.ToArray();
    }
}

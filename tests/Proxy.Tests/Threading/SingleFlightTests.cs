using Breakwater.Proxy.Threading;

namespace Breakwater.Proxy.Tests.Threading;

public sealed class SingleFlightTests
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    private readonly SingleFlight<string, object, int> _flights = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource<int> _work = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _started;

    [Fact]
    public async Task JoinOrStart_ManyAtOnce_OneWorksAndAllGetItsResult()
    {
        Task<Task<int>>[] callers = [.. Enumerable.Range(0, 32).Select(_ => Task.Run<Task<int>>(() => Start("a", new object())))];
        Task<int>[] results = await Task.WhenAll(callers).WaitAsync(s_deadline);
        Assert.Equal(1, _flights.Count);
        _work.SetResult(7);
        Assert.All(await Task.WhenAll(results).WaitAsync(s_deadline), result => Assert.Equal(7, result));
        Assert.Equal(1, _started);
        Assert.Equal(0, _flights.Count);
    }

    [Fact]
    public async Task JoinOrStart_WhileItIsUnderWay_GivesThePlaceOfTheFirst()
    {
        object first = new();
        Task<int> working = Start("a", first);
        (object place, _) = _flights.JoinOrStart("a", new object(), WorkAsync, out bool isNew);
        Assert.Same(first, place);
        Assert.False(isNew);
        Assert.True(_flights.IsUnderWay("a"));
        Assert.False(_flights.IsUnderWay("b"));
        _work.SetResult(1);
        await Task.WhenAll(working, Start("b", new object())).WaitAsync(s_deadline);
        Assert.Equal(2, _started);
    }

    [Fact]
    public async Task Result_OneWhoWaitsLeaves_TheOthersGetIt()
    {
        using var leaves = new CancellationTokenSource();
        Task<int> gone = Start("a", new object()).WaitAsync(leaves.Token);
        Task<int> stays = Start("a", new object());
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        _work.SetResult(3);
        Assert.Equal(3, await stays.WaitAsync(s_deadline));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Result_WorkFailed_IsTheFailureAndTheNextBeginsAnew(bool atOnce)
    {
        Task<int> failed = _flights.JoinOrStart("a", new object(), () => FailAsync(atOnce), out _).Result;
        await Assert.ThrowsAsync<InvalidOperationException>(() => failed.WaitAsync(s_deadline));
        Assert.False(_flights.IsUnderWay("a"));
        _work.SetResult(4);
        Assert.Equal(4, await Start("a", new object()).WaitAsync(s_deadline));
    }

    private static async Task<int> FailAsync(bool atOnce)
    {
        if (!atOnce)
        {
            await Task.Yield();
        }

        throw new InvalidOperationException();
    }

    private Task<int> Start(string key, object place) => _flights.JoinOrStart(key, place, WorkAsync, out _).Result;

    private Task<int> WorkAsync()
    {
        Interlocked.Increment(ref _started);
        return _work.Task;
    }
}

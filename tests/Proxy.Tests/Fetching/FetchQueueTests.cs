using Breakwater.Proxy.Fetching;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Fetching;

public class FetchQueueTests
{
    [Fact]
    public async Task EnterAsync_Full_LetsInByPriorityThenInOrder()
    {
        var queue = new FetchQueue(1, 1);
        await queue.EnterAsync(FetchPriority.Demand, default).InTimeAsync();
        Task prefetch = queue.EnterAsync(FetchPriority.Prefetch, default);
        Task first = queue.EnterAsync(FetchPriority.Demand, default);
        Task second = queue.EnterAsync(FetchPriority.Demand, default);
        Task catalog = queue.EnterAsync(FetchPriority.Catalog, default);

        Task[] expected = [catalog, first, second, prefetch];
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.All(expected[i..], t => Assert.False(t.IsCompleted));
            queue.Leave(FetchPriority.Demand);
            await expected[i].InTimeAsync();
        }
    }

    [Fact]
    public async Task EnterAsync_PrefetchAtItsLimit_LeavesRoomForDemand()
    {
        var queue = new FetchQueue(2, 1);
        await queue.EnterAsync(FetchPriority.Prefetch, default).InTimeAsync();
        Task second = queue.EnterAsync(FetchPriority.Prefetch, default);
        await queue.EnterAsync(FetchPriority.Demand, default).InTimeAsync();

        Assert.False(second.IsCompleted);
        queue.Leave(FetchPriority.Prefetch);
        await second.InTimeAsync();
    }

    [Fact]
    public async Task EnterAsync_CancelledWhileWaiting_GivesItsPlaceToTheNext()
    {
        var queue = new FetchQueue(1, 1);
        using var cancel = new CancellationTokenSource();
        await queue.EnterAsync(FetchPriority.Demand, default).InTimeAsync();
        Task gone = queue.EnterAsync(FetchPriority.Demand, cancel.Token);
        Task next = queue.EnterAsync(FetchPriority.Demand, default);

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone.InTimeAsync());
        queue.Leave(FetchPriority.Demand);
        await next.InTimeAsync();
    }

    [Fact]
    public async Task Promote_DemandForAQueuedPrefetch_OvertakesTheOtherPrefetchesAndTheirLimit()
    {
        var queue = new FetchQueue(2, 1);
        var running = new FetchPlace(FetchPriority.Prefetch);
        var other = new FetchPlace(FetchPriority.Prefetch);
        var wanted = new FetchPlace(FetchPriority.Prefetch);
        await queue.EnterAsync(running, default).InTimeAsync();
        Task otherEnters = queue.EnterAsync(other, default);
        Task wantedEnters = queue.EnterAsync(wanted, default);
        Assert.False(wantedEnters.IsCompleted);

        queue.Promote(wanted, FetchPriority.Demand);

        await wantedEnters.InTimeAsync();
        Assert.False(otherEnters.IsCompleted);
        queue.Leave(wanted);
        Assert.False(otherEnters.IsCompleted);
        queue.Leave(running);
        await otherEnters.InTimeAsync();
        queue.Leave(other);
        Assert.Equal((0, 0), queue.Load);
    }

    [Fact]
    public async Task Promote_WhenFull_MovesToTheLineOfDemandAndNeverBack()
    {
        var queue = new FetchQueue(1, 1);
        var running = new FetchPlace(FetchPriority.Demand);
        var wanted = new FetchPlace(FetchPriority.Prefetch);
        await queue.EnterAsync(running, default).InTimeAsync();
        Task prefetch = queue.EnterAsync(FetchPriority.Prefetch, default);
        Task demand = queue.EnterAsync(FetchPriority.Demand, default);
        Task wantedEnters = queue.EnterAsync(wanted, default);

        queue.Promote(wanted, FetchPriority.Demand);
        queue.Promote(wanted, FetchPriority.Prefetch);

        queue.Leave(running);
        await demand.InTimeAsync();
        Assert.False(wantedEnters.IsCompleted);
        queue.Leave(FetchPriority.Demand);
        await wantedEnters.InTimeAsync();
        Assert.False(prefetch.IsCompleted);
        queue.Leave(wanted);
        await prefetch.InTimeAsync();
    }

    [Fact]
    public async Task Promote_RunningPrefetch_CountsAsDemandFromThenOn()
    {
        var queue = new FetchQueue(2, 1);
        var running = new FetchPlace(FetchPriority.Prefetch);
        await queue.EnterAsync(running, default).InTimeAsync();
        Task next = queue.EnterAsync(FetchPriority.Prefetch, default);
        Assert.False(next.IsCompleted);

        queue.Promote(running, FetchPriority.Demand);

        await next.InTimeAsync();
    }
}

using Breakwater.Proxy.Fetching;

namespace Breakwater.Proxy.Tests.Fetching;

public class FetchQueueTests
{
    [Fact]
    public async Task EnterAsync_Full_LetsInByPriorityThenInOrder()
    {
        var queue = new FetchQueue(1, 1);
        await queue.EnterAsync(FetchPriority.Demand, default);
        Task prefetch = queue.EnterAsync(FetchPriority.Prefetch, default);
        Task first = queue.EnterAsync(FetchPriority.Demand, default);
        Task second = queue.EnterAsync(FetchPriority.Demand, default);
        Task catalog = queue.EnterAsync(FetchPriority.Catalog, default);

        Task[] expected = [catalog, first, second, prefetch];
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.All(expected[i..], t => Assert.False(t.IsCompleted));
            queue.Leave(FetchPriority.Demand);
            await expected[i];
        }
    }

    [Fact]
    public async Task EnterAsync_PrefetchAtItsLimit_LeavesRoomForDemand()
    {
        var queue = new FetchQueue(2, 1);
        await queue.EnterAsync(FetchPriority.Prefetch, default);
        Task second = queue.EnterAsync(FetchPriority.Prefetch, default);
        await queue.EnterAsync(FetchPriority.Demand, default);

        Assert.False(second.IsCompleted);
        queue.Leave(FetchPriority.Prefetch);
        await second;
    }

    [Fact]
    public async Task EnterAsync_CancelledWhileWaiting_GivesItsPlaceToTheNext()
    {
        var queue = new FetchQueue(1, 1);
        using var cancel = new CancellationTokenSource();
        await queue.EnterAsync(FetchPriority.Demand, default);
        Task gone = queue.EnterAsync(FetchPriority.Demand, cancel.Token);
        Task next = queue.EnterAsync(FetchPriority.Demand, default);

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        queue.Leave(FetchPriority.Demand);
        await next;
    }
}

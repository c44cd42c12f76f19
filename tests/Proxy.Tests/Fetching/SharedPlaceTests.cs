using System.Net;
using Breakwater.Proxy.Fetching;

namespace Breakwater.Proxy.Tests.Fetching;

public sealed class SharedPlaceTests
{
    private static readonly IPAddress s_greedy = IPAddress.Parse("10.0.0.1");
    private static readonly IPAddress s_other = IPAddress.Parse("10.0.0.2");

    /// <summary>A flight is there for others to join before it has entered the queue, and between two places of it.</summary>
    [Theory]
    [InlineData("before it enters", 2)]
    [InlineData("while it waits", 2)]
    [InlineData("never", 6)]
    public async Task Join_ByAClientWithAShorterLine_IsItsTurnNext(string when, int expectedLeaves)
    {
        var queue = new FetchQueue(1, 1);
        var running = new FetchPlace(FetchPriority.Demand);
        await queue.EnterAsync(running, CancellationToken.None);
        List<FetchPlace> waiting = [running];
        for (int i = 0; i < 5; i++)
        {
            var place = new FetchPlace(FetchPriority.Demand, s_greedy);
            waiting.Add(place);
            _ = queue.EnterAsync(place, CancellationToken.None);
        }

        var shared = new SharedPlace(queue, FetchPriority.Demand, s_greedy);
        if (when == "before it enters")
        {
            shared.Join(s_other);
        }

        Task entered = shared.EnterAsync(CancellationToken.None);
        if (when == "while it waits")
        {
            shared.Join(s_other);
        }

        int leaves = 0;
        for (; !entered.IsCompleted; leaves++)
        {
            queue.Leave(waiting[leaves]);
        }

        Assert.Equal(expectedLeaves, leaves);
    }
}

using System.Net;
using Breakwater.Proxy.Fetching;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Fetching;

public class FetchQueueTests
{
    [Fact]
    public async Task EnterAsync_Full_LetsInByPriorityThenInOrder()
    {
        var queue = new FetchQueue(1, 1);
        FetchPlace running = await RunningAsync(queue);
        var prefetch = new Waiter(queue, FetchPriority.Prefetch);
        var first = new Waiter(queue, FetchPriority.Demand);
        var second = new Waiter(queue, FetchPriority.Demand);
        var catalog = new Waiter(queue, FetchPriority.Catalog);

        Waiter[] expected = [catalog, first, second, prefetch];
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.All(expected[i..], w => Assert.False(w.Entered.IsCompleted));
            queue.Leave(running);
            await expected[i].Entered.InTimeAsync();
            running = expected[i].Place;
        }
    }

    [Fact]
    public async Task EnterAsync_PrefetchAtItsLimit_LeavesRoomForDemand()
    {
        var queue = new FetchQueue(2, 1);
        FetchPlace running = await RunningAsync(queue, FetchPriority.Prefetch);
        var second = new Waiter(queue, FetchPriority.Prefetch);
        await RunningAsync(queue);

        Assert.False(second.Entered.IsCompleted);
        queue.Leave(running);
        await second.Entered.InTimeAsync();
    }

    [Fact]
    public async Task EnterAsync_ShareOfTheLimitGrows_TheNextToLeaveLetsInAsMany()
    {
        int nodes = 4;
        var queue = new FetchQueue(4, 4) { ShareOf = limit => (limit + nodes - 1) / nodes };
        FetchPlace running = await RunningAsync(queue);
        Waiter[] waiting = [.. Enumerable.Range(0, 5).Select(_ => new Waiter(queue, FetchPriority.Demand))];
        Assert.All(waiting, w => Assert.False(w.Entered.IsCompleted));

        nodes = 1;
        queue.Leave(running);
        await Task.WhenAll(waiting[..4].Select(w => w.Entered)).InTimeAsync();

        Assert.False(waiting[4].Entered.IsCompleted);
    }

    [Fact]
    public async Task EnterAsync_CancelledWhileWaiting_GivesItsPlaceToTheNext()
    {
        var queue = new FetchQueue(1, 1);
        using var cancel = new CancellationTokenSource();
        FetchPlace running = await RunningAsync(queue);
        Task gone = queue.EnterAsync(new FetchPlace(FetchPriority.Demand), cancel.Token);
        var next = new Waiter(queue, FetchPriority.Demand);

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone.InTimeAsync());
        queue.Leave(running);
        await next.Entered.InTimeAsync();
    }

    [Fact]
    public void TryEnter_OfACluster_LeavesRoomForAnotherWhereThereAreSeveral()
    {
        var queue = new FetchQueue(16, 8, "live", "silent");
        int silent = Enumerable.Range(0, 40).Count(i => queue.TryEnter(Place("silent", i)));
        int live = Enumerable.Range(40, 40).Count(i => queue.TryEnter(Place("live", i)));

        Assert.InRange(silent, 8, 13);
        Assert.InRange(live, 2, 16 - silent);
        var only = new FetchQueue(16, 8, "live");
        Assert.Equal(16, Enumerable.Range(0, 40).Count(i => only.TryEnter(Place("live", i))));
    }

    /// <summary>As origins of ordinary HTTP: who is alone leaves room for one whom nobody has asked for yet.</summary>
    [Fact]
    public void TryEnter_OfAClusterThatIsAlone_LeavesRoomWhereOthersMayCome()
    {
        var queue = new FetchQueue(16, 8) { AreClustersOpen = true };
        FetchPlace[] places = [.. Enumerable.Range(0, 40).Select(i => Place("silent", i))];
        FetchPlace[] silent = [.. places.Where(queue.TryEnter)];
        Assert.InRange(silent.Length, 8, 13);
        Assert.True(queue.TryEnter(Place("live", 50)));

        Array.ForEach(silent, queue.Leave);
        Assert.InRange(Enumerable.Range(0, 40).Count(i => queue.TryEnter(Place("silent", i))), 8, 13);
    }

    // What one client wants of a cluster that is silent is not in the way of what it wants of another.
    [Fact]
    public async Task EnterAsync_BehindAClusterWithoutRoom_TheClientsOtherClusterIsNext()
    {
        var queue = new FetchQueue(4, 2, "live", "silent");
        int entered = 0;
        while (queue.TryEnter(Place("silent", entered)))
        {
            entered++;
        }

        Assert.InRange(entered, 1, 3);

        Task blocked = queue.EnterAsync(Place("silent", 9), CancellationToken.None);
        Task other = queue.EnterAsync(Place("live", 9), CancellationToken.None);

        await other.InTimeAsync();
        Assert.False(blocked.IsCompleted);
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
        var prefetch = new Waiter(queue, FetchPriority.Prefetch);
        var demand = new Waiter(queue, FetchPriority.Demand);
        Task wantedEnters = queue.EnterAsync(wanted, default);

        queue.Promote(wanted, FetchPriority.Demand);
        queue.Promote(wanted, FetchPriority.Prefetch);

        queue.Leave(running);
        await demand.Entered.InTimeAsync();
        Assert.False(wantedEnters.IsCompleted);
        queue.Leave(demand.Place);
        await wantedEnters.InTimeAsync();
        Assert.False(prefetch.Entered.IsCompleted);
        queue.Leave(wanted);
        await prefetch.Entered.InTimeAsync();
    }

    [Fact]
    public async Task Promote_RunningPrefetch_CountsAsDemandFromThenOn()
    {
        var queue = new FetchQueue(2, 1);
        var running = new FetchPlace(FetchPriority.Prefetch);
        await queue.EnterAsync(running, default).InTimeAsync();
        var next = new Waiter(queue, FetchPriority.Prefetch);
        Assert.False(next.Entered.IsCompleted);

        queue.Promote(running, FetchPriority.Demand);

        await next.Entered.InTimeAsync();
    }

    [Fact]
    public async Task EnterAsync_OneClientWantsVeryMuch_AnotherIsLetInAtOnce()
    {
        var queue = new FetchQueue(128, 64);
        Waiter[] greedy =
            [.. Enumerable.Range(0, 5_000)
            .Select(i => new Waiter(queue, i % 2 == 0 ? FetchPriority.Catalog : FetchPriority.Demand, s_greedy))];
        Assert.InRange(greedy.Count(w => w.Entered.IsCompleted), 90, 120);

        await new Waiter(queue, FetchPriority.Demand, s_other).Entered.InTimeAsync();
    }

    [Fact]
    public async Task EnterAsync_TenClientsWantVeryMuch_AnotherIsLetInAtOnce()
    {
        var queue = new FetchQueue(128, 64);
        for (int i = 0; i < 10 * 500; i++)
        {
            _ = new Waiter(queue, FetchPriority.Demand, IPAddress.Parse($"10.0.1.{i % 10}"));
        }

        Assert.InRange(queue.Load.Running, 110, 127);
        await new Waiter(queue, FetchPriority.Demand, s_other).Entered.InTimeAsync();
    }

    [Fact]
    public void EnterAsync_ManyClientsWantLittle_AllPlacesAreTaken()
    {
        var queue = new FetchQueue(128, 64);
        for (int i = 0; i < 200; i++)
        {
            _ = new Waiter(queue, FetchPriority.Demand, IPAddress.Parse($"10.0.1.{i}"));
        }

        Assert.Equal((128, 72), queue.Load);
    }

    [Fact]
    public async Task EnterAsync_Full_ClientsTakeTurns()
    {
        var queue = new FetchQueue(1, 1);
        FetchPlace running = await RunningAsync(queue);
        Waiter[] greedy = [.. Enumerable.Range(0, 100).Select(_ => new Waiter(queue, FetchPriority.Demand, s_greedy))];
        var first = new Waiter(queue, FetchPriority.Demand, s_other);
        var second = new Waiter(queue, FetchPriority.Demand, s_other);

        foreach (Waiter next in (Waiter[])[greedy[0], first, greedy[1], second, greedy[2], greedy[3]])
        {
            Assert.False(next.Entered.IsCompleted);
            queue.Leave(running);
            await next.Entered.InTimeAsync();
            running = next.Place;
        }
    }

    [Fact]
    public async Task Promote_AnotherClientWantsWhatAGreedyOneWaitsFor_GoesOnHisAccount()
    {
        var queue = new FetchQueue(1, 1);
        FetchPlace running = await RunningAsync(queue);
        Waiter[] greedy = [.. Enumerable.Range(0, 100).Select(_ => new Waiter(queue, FetchPriority.Demand, s_greedy))];

        queue.Promote(greedy[^1].Place, FetchPriority.Demand, s_other);

        queue.Leave(running);
        await greedy[0].Entered.InTimeAsync();
        queue.Leave(greedy[0].Place);
        await greedy[^1].Entered.InTimeAsync();
        Assert.False(greedy[1].Entered.IsCompleted);
    }

    /// <summary>Whatever comes in whatever order: never too many, nothing lost, nothing that may run waits.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Queue_AnyOrderOfCalls_KeepsItsBoundsAndEndsEmpty(int seed)
    {
        var random = new Random(seed);
        int limit = random.Next(1, 9);
        var queue = new FetchQueue(limit, Math.Max(1, limit / 2));
        List<(Waiter Waiter, CancellationTokenSource Cancel)> all = [];
        for (int i = 0; i < 20_000; i++)
        {
            int at = random.Next(Math.Max(1, all.Count));
            switch (random.Next(5))
            {
                case 0 or 1:
                    var cancel = new CancellationTokenSource();
                    IPAddress? client = random.Next(4) is > 0 and var c ? IPAddress.Parse($"10.0.0.{c}") : null;
                    all.Add((new Waiter(queue, (FetchPriority)random.Next(3), client, cancel.Token), cancel));
                    break;
                case 2 when all.Count > 0 && all[at].Waiter.Entered.IsCompletedSuccessfully:
                    queue.Leave(all[at].Waiter.Place);
                    all.RemoveAt(at);
                    break;
                case 3 when all.Count > 0 && !all[at].Waiter.Entered.IsCompleted:
                    all[at].Cancel.Cancel();
                    all.RemoveAt(at);
                    break;
                case 4 when all.Count > 0:
                    queue.Promote(all[at].Waiter.Place, (FetchPriority)random.Next(3), IPAddress.Parse($"10.0.0.{random.Next(1, 5)}"));
                    break;
            }

            int running = all.Count(w => w.Waiter.Entered.IsCompletedSuccessfully);
            Assert.Equal((running, all.Count - running), queue.Load);
            Assert.InRange(running, 0, limit);
        }

        while (all.Count > 0)
        {
            int at = all.FindIndex(w => w.Waiter.Entered.IsCompletedSuccessfully);
            Assert.True(at >= 0, "nothing runs, and something waits");
            queue.Leave(all[at].Waiter.Place);
            all.RemoveAt(at);
        }

        Assert.Equal((0, 0), queue.Load);
    }

    /// <summary>Each of a client of its own: no client's share is in the way.</summary>
    private static FetchPlace Place(string cluster, int client) =>
        new(FetchPriority.Demand, new IPAddress(new byte[] { 10, 0, 0, (byte)client }), cluster);

    private static readonly IPAddress s_greedy = IPAddress.Parse("10.0.0.1");
    private static readonly IPAddress s_other = IPAddress.Parse("10.0.0.2");

    private static async Task<FetchPlace> RunningAsync(FetchQueue queue, FetchPriority priority = FetchPriority.Demand)
    {
        var place = new FetchPlace(priority);
        await queue.EnterAsync(place, default).InTimeAsync();
        return place;
    }

    private sealed class Waiter
    {
        public Waiter(FetchQueue queue, FetchPriority priority, IPAddress? client = null, CancellationToken cancellationToken = default)
        {
            Place = new FetchPlace(priority, client);
            Entered = queue.EnterAsync(Place, cancellationToken);
        }

        public FetchPlace Place { get; }

        public Task Entered { get; }
    }
}

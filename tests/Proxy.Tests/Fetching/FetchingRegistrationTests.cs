using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.Documents;

namespace Breakwater.Proxy.Tests.Fetching;

/// <summary>The line of fetches as a proxy has it.</summary>
public sealed class FetchingRegistrationTests
{
    /// <summary>However much is prefetched, demand finds room.</summary>
    [Fact]
    public async Task Queue_OfAProxy_KeepsHalfOfItsPlacesForDemand()
    {
        await using var proxy = new BuiltDocuments();
        await proxy.OpenAsync();
        FetchQueue queue = proxy.Get<FetchQueue>();
        int most = proxy.Get<ProxyOptions>().MaxConcurrentFetches;

        Assert.Equal((most / 2, most - (most / 2)), (Entered(queue, FetchPriority.Prefetch), Entered(queue, FetchPriority.Demand)));
    }

    private static int Entered(FetchQueue queue, FetchPriority priority)
    {
        int entered = 0;
        while (queue.TryEnter(new FetchPlace(priority)))
        {
            entered++;
        }

        return entered;
    }
}

using Breakwater.CacheStore.Spooling;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.EventLoops.KestrelSide;
using Breakwater.Proxy.Fetching;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.TestSupport;

/// <summary>
/// A proxy is at rest when its clients have left and it has given back all that it took for them. Every functional test ends with that
/// question.
/// </summary>
internal static class Rest
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    /// <summary>What the proxy still holds when it has had time to give it back; null: nothing.</summary>
    public static Task<string?> HeldAsync(IServiceProvider services, FasterObjectStore store) => SettledAsync(() => Held(services, store));

    /// <summary>
    /// As <see cref="HeldFiles"/>, when there was time: who waited for a commit hears of it while the store closes, and lets go after it.
    /// </summary>
    public static Task<string?> HeldFilesAsync(string store) => SettledAsync(() => HeldFiles(store));

    /// <summary>
    /// Files of a stopped proxy's store that this process has still open or mapped: a lease, a writer or a send that was never let go.
    /// Null: none.
    /// </summary>
    private static string? HeldFiles(string store)
    {
        HashSet<string> held = [];
        foreach (string link in Directory.GetFileSystemEntries("/proc/self/fd"))
        {
            try
            {
                held.Add(new FileInfo(link).LinkTarget ?? "");
            }
            catch (IOException)
            {
                // Closed meanwhile.
            }
        }

        foreach (string mapping in File.ReadLines("/proc/self/maps"))
        {
            int path = mapping.IndexOf('/', StringComparison.Ordinal);
            held.Add(path < 0 ? "" : mapping[path..]);
        }

        string[] ours = [.. held.Where(path => path.StartsWith(store + "/", StringComparison.Ordinal)).Order()];
        return ours.Length == 0 ? null : "after its end, files of the store: " + string.Join(", ", ours);
    }

    private static async Task<string?> SettledAsync(Func<string?> held)
    {
        try
        {
            await Waiting.UntilAsync(() => held() is null, s_patience);
            return null;
        }
        catch (TimeoutException)
        {
            return held();
        }
    }

    private static string? Held(IServiceProvider services, FasterObjectStore store)
    {
        FetchCoordinator fetches = services.GetRequiredService<FetchCoordinator>();
        (int running, int waiting) = services.GetRequiredService<FetchQueue>().Load;
        (string Name, long Count)[] counters =
        [
            ("connections",
                services.GetServices<IConnectionListenerFactory>().OfType<LoopTransport>().Sum(transport => transport.Connections)),
            ("fetches", fetches.InFlight.Count),
            ("followers", fetches.InFlight.Sum(fetch => (long)fetch.Followers)),
            ("places in the queue", running + waiting),
            ("bytes of unstored bodies", services.GetRequiredService<OverflowBudget>().Taken),
            ("staged buffers", store.Budget.Buffers),
            ("staged bytes", store.Budget.Bytes),
            ("bytes in the log without a digest", store.Unverified.Writing),
            ("objects watched for the commit", store.Commits.Watched),
        ];
        string[] held = [.. counters.Where(counter => counter.Count != 0).Select(counter => $"{counter.Count} {counter.Name}")];
        return held.Length == 0 ? null : string.Join(", ", held);
    }
}

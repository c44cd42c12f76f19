using Breakwater.CacheStore.Quotas;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Store;

/// <summary><c>Repositories:&lt;pattern&gt;:QuotaBytes</c>: who is charged, where it is shown, and that all are served.</summary>
public sealed class RepositoryQuotaTests : IAsyncLifetime
{
    private const string Greedy = "greedy.example.org";

    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _upstream.DisposeAsync().AsTask();

    [Fact]
    public async Task Repositories_AreChargedWithWhatTheyBringAndServedBeyondTheirQuota()
    {
        SyntheticObject[] greedy =
            [.. Enumerable.Range(0, 30).Select(seed => new SyntheticObject(100_000, seed, fqrn: Greedy).On(_upstream))];
        SyntheticObject same = new SyntheticObject(100_000, 0, fqrn: "other.example.org").On(_upstream);
        SyntheticObject own = new SyntheticObject(300_000, 99, fqrn: "other.example.org").On(_upstream);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?> { [$"Repositories:{Greedy}:QuotaBytes"] = "1048576", ["Store:QuotaBytes"] = "67108864" },
            null, _upstream);
        for (int i = 0; i < 2; i++)
        {
            foreach (SyntheticObject one in greedy.Append(same).Append(own))
            {
                RawResponse response = await proxy.GetAsync(one.Url);
                Assert.Equal(200, response.Status);
                Assert.Equal(one.Bytes, response.Body);
            }
        }

        // Whoever brought an object in is charged; who finds it there is not, and nothing was fetched twice.
        await AssertUsesAsync(
            proxy, new ShareUse("*.example.org", 300_000, null), new ShareUse(Greedy, 3_000_000, 1_048_576));
        Assert.Equal(greedy.Length + 1, _upstream.Requests.Count(request => request.Path.Contains("/data/", StringComparison.Ordinal)));
        Assert.Equal(3_000_000, await proxy.MetricAsync("breakwater_repositories_stored_bytes", $"pattern=\"{Greedy}\""));
        Assert.Equal(1_048_576, await proxy.MetricAsync("breakwater_repositories_quota_bytes", $"pattern=\"{Greedy}\""));

        // In force at once, and counted anew by a start.
        proxy.Change(new Dictionary<string, string?> { [$"Repositories:{Greedy}:QuotaBytes"] = "4000000" });
        await AssertUsesAsync(
            proxy, new ShareUse("*.example.org", 300_000, null), new ShareUse(Greedy, 3_000_000, 4_000_000));
        await proxy.RestartAsync();
        await AssertUsesAsync(
            proxy, new ShareUse("*.example.org", 300_000, null), new ShareUse(Greedy, 3_000_000, 4_000_000));
    }

    private static async Task AssertUsesAsync(ProxyUnderTest proxy, params ShareUse[] expected)
    {
        using var client = new AdminClient(proxy.Services.GetRequiredService<BreakwaterSettings>());
        IReadOnlyList<ShareUse> uses = [];
        await Waiting.UntilAsync(async () =>
        {
            // objects are charged when they are durable
            uses = (await client.GetAsync<ServerStatus>("status", CancellationToken.None)).Shares;
            return uses.Sum(use => use.Bytes) >= expected.Sum(use => use.Bytes);
        });
        Assert.Equal(expected, uses.Where(use => use.Name.EndsWith("example.org", StringComparison.Ordinal)));
    }
}

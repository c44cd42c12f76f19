using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Host;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Tests.Memory;

public sealed class MemoryPlanTests
{
    private const long Gibibyte = 1L << 30;

    [Fact]
    public void Limit_OnALargeMachine_IsTheSumOfTheSettings()
    {
        MemoryPlan plan = Plan(1024 * Gibibyte);
        Assert.Equal(plan.WantedBytes, plan.LimitBytes);
    }

    [Fact]
    public void Limit_OnASmallMachine_LeavesAQuarterOfIt() => Assert.Equal(3 * Gibibyte / 4, Plan(Gibibyte).LimitBytes);

    // By itself the runtime takes a share of the processor's cache: 240 MB of garbage beside every bound, on a server with 300 MiB of it.
    [Fact]
    public async Task YoungestGeneration_OfTheProxy_HasABudgetThatTheProcessorDoesNotDecide()
    {
        await using FileStream file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "breakwater.runtimeconfig.json"));
        JsonElement json = await JsonSerializer.DeserializeAsync<JsonElement>(file);
        JsonElement properties = json.GetProperty("runtimeOptions").GetProperty("configProperties");

        Assert.InRange(properties.GetProperty("System.GC.Gen0MaxBudget").GetInt64(), 4 << 20, 16 << 20);
    }

    [Theory]
    [InlineData("Proxy:MaxUnstoredBytes", 1.5)]
    [InlineData("Store:IndexMemoryBytes", 1.5 * 1.3)] // the slices of ordinary HTTP and external files have their share
    public void Limit_FollowsEachSetting(string name, double headroom)
    {
        long before = Plan(1024 * Gibibyte).WantedBytes;
        long after = Plan(
            1024 * Gibibyte,
            settings =>
            {
                settings.Proxy.MaxUnstoredBytes += name == "Proxy:MaxUnstoredBytes" ? Gibibyte : 0;
                settings.Store.IndexMemoryBytes += name == "Store:IndexMemoryBytes" ? Gibibyte : 0;
            }).WantedBytes;
        Assert.InRange(after - before, (long)(headroom * Gibibyte) - 2, (long)(headroom * Gibibyte) + 2); // each share is rounded
    }

    [Fact]
    public void Limit_GrowsWithConnectionsFetchesAndQuota()
    {
        var settings =
            new BreakwaterSettings
            {
                Proxy = new(),
                Access = new(),
                Store = new(),
                Repositories = new Dictionary<string, RepositoryOptions>()
            };
        long Wanted(int connections, long quota) => MemoryPlan.Of(settings, connections, quota, 2, 1024 * Gibibyte).WantedBytes;
        long least = Wanted(100, 10 * Gibibyte);
        Assert.True(Wanted(10_000, 10 * Gibibyte) > least);
        Assert.True(Wanted(100, 1000 * Gibibyte) > least);
        settings.Proxy.MaxConcurrentFetches *= 2;
        Assert.True(Wanted(100, 10 * Gibibyte) > least);
    }

    /// <summary>With the headroom of a half: 24 KiB a connection, and what the page says of fetches and processors.</summary>
    [Fact]
    public void Wanted_OfEachMore_IsWhatThatTakes()
    {
        BreakwaterSettings settings = Settings();
        long Wanted(int connections = 1000, int processors = 2) =>
            MemoryPlan.Of(settings, connections, 100 * Gibibyte, processors, 1024 * Gibibyte).WantedBytes;
        long before = Wanted();

        Assert.InRange(Wanted(connections: 2000) - before, (1000 * 36L << 10) - 1, (1000 * 36L << 10) + 1);
        long stripe = 3 * ((2L << 20) + Breakwater.Proxy.Observability.RequestRecorder.StripeTextBytes);
        Assert.InRange(Wanted(processors: 3) - before, stripe - 1, stripe + 1);
        Assert.Equal(Wanted(processors: 16), Wanted(processors: 17));
        settings.Proxy.MaxConcurrentFetches += 100;
        Assert.InRange(Wanted() - before, (100 * 2304L << 10) - 1, (100 * 2304L << 10) + 1);
        settings.Proxy.MaxConcurrentFetches -= 100;
        settings.Http.MaxConcurrentFetches += 100;
        Assert.InRange(Wanted() - before, (100 * 2304L << 10) - 1, (100 * 2304L << 10) + 1);
        settings.Access.Destinations = ["h.example.org"];
        Assert.InRange(
            Wanted() - before, (((2 * settings.Http.MaxConcurrentFetches) - (settings.Http.MaxConcurrentFetches - 100)) * 2304L << 10) - 1,
            (((2 * settings.Http.MaxConcurrentFetches) - (settings.Http.MaxConcurrentFetches - 100)) * 2304L << 10) + 1);
    }

    /// <summary>All that docs/develop/memory-bounds.md names, each once.</summary>
    [Fact]
    public void Wanted_OfTheDefaults_IsTheSumOfAllBounds()
    {
        BreakwaterSettings settings = Settings();
        long bounds = (256L << 20)                      // what is always there
            + ((64L + 100 + 60 + 60 + 512 + 64 + 48 + 256 + 64) << 20)
            + settings.Store.HeapBytes(100 * Gibibyte) + settings.Store.NamedHeapBytes(100 * Gibibyte)
            + (settings.Http.MaxConcurrentFetches * 1536L << 10) + (settings.Proxy.MaxConcurrentFetches * 1536L << 10)
            + (1000 * 24L << 10) + settings.Proxy.MaxUnstoredBytes
            + Breakwater.Proxy.Documents.DocumentCache.MaxDocumentBytes + Breakwater.Proxy.Documents.DocumentCache.MaxGeoBytes
            + Breakwater.Proxy.Documents.DocumentCache.MaxFailureBytes + Breakwater.Proxy.Documents.ShownPairs.MaxBytes
            + Breakwater.Proxy.Documents.DocumentArchive.MaxBytes + Breakwater.Proxy.WorkingSets.ObjectNames.MaxBytes
            + (2L * Breakwater.Proxy.Boots.BootTimelines.MaxDetailTextBytes)
            + (4L * (Breakwater.Proxy.Observability.RequestRecorder.StripeTextBytes + (2 << 20)));

        Assert.Equal((long)(1.5 * bounds), MemoryPlan.Of(settings, 1000, 100 * Gibibyte, 2, 1024 * Gibibyte).WantedBytes);
    }

    [Fact]
    public void Describe_ForTheLog_IsInWholeMebibytes() => Assert.StartsWith(
        "The heap is held to 3 MiB; the settings add up to 5 MiB", MemoryPlan.Describe((4L << 20) - 1, 5L << 20), StringComparison.Ordinal);

    private static BreakwaterSettings Settings() => new()
    {
        Proxy = new(),
        Access = new(),
        Store = new(),
        Repositories = new Dictionary<string, RepositoryOptions>(),
    };

    private static MemoryPlan Plan(long machineBytes, Action<BreakwaterSettings>? change = null)
    {
        var settings =
            new BreakwaterSettings
            {
                Proxy = new(),
                Access = new(),
                Store = new StoreOptions(),
                Repositories = new Dictionary<string, RepositoryOptions>()
            };
        change?.Invoke(settings);
        return MemoryPlan.Of(settings, 10_000, 100 * Gibibyte, 2, machineBytes);
    }
}

using System.Diagnostics;
using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Scrubbing;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Seeding;

/// <summary>
/// The real command in a process of its own, killed at seeded places of its bundle: the bundle comes through a pipe, so the test says how
/// far it gets.
/// </summary>
public sealed class KilledImportTests
{
    private const int Kills = 8;

    [Fact]
    public async Task Import_KilledEightTimesThenRunAgain_IsCompleteVerifiedAndNeverHalfVisible()
    {
        FixtureRepository tiny = FixtureRepository.Tiny;
        await using SeedBench bench = await SeedBench.StartAsync(tiny);
        byte[] bundle = await bench.ExportAsync(SeedBench.All(tiny.Fqrn));
        using var directory = new TemporaryDirectory();
        string settings = directory.Combine("settings.json");
        await File.WriteAllTextAsync(settings, JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["Store"] = new { Path = directory.Combine("store") },
            ["Repositories"] =
                new Dictionary<string, object>
                {
                    ["KeysDirectory"] = bench.KeysDirectory,
                    ["*.example.org"] = new { Cluster = "stratum1" }
                },
            ["ReverseProxy"] =
                new { Clusters = new { stratum1 = new { Destinations = new { only = new { Address = "http://127.0.0.1:9/" } } } } },
            ["Admin"] = new { Listen = "" },
        }));

        var random = new Random(20);
        for (int i = 0; i < Kills; i++)
        {
            using Process import = Start(settings);
            int sent = random.Next(bundle.Length);
            try
            {
                await import.StandardInput.BaseStream.WriteAsync(bundle.AsMemory(0, sent));
                await import.StandardInput.BaseStream.FlushAsync();
            }
            catch (IOException)
            {
                // It ended by itself: told below.
            }

            Assert.False(import.HasExited && import.ExitCode != 137, "the import ended by itself");
            import.Kill();
            await import.WaitForExitAsync().InTimeAsync();
            await CheckAsync(settings, tiny, isComplete: false);
        }

        using Process last = Start(settings);
        await last.StandardInput.BaseStream.WriteAsync(bundle);
        last.StandardInput.Close();
        string errors = await last.StandardError.ReadToEndAsync().InTimeAsync();
        await last.WaitForExitAsync().InTimeAsync();
        Assert.True(last.ExitCode == 0, errors);
        await CheckAsync(settings, tiny, isComplete: true);
    }

    /// <summary>What is in the store is right; the seed is there whole or not at all.</summary>
    private static async Task CheckAsync(string settingsFile, FixtureRepository tiny, bool isComplete)
    {
        IConfigurationRoot configuration = new ConfigurationBuilder().AddJsonFile(settingsFile)
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Proxy:Offline"] = "true", ["Logging:LogLevel:Default"] = "Error" })
            .Build();
        BreakwaterSettings settings = BreakwaterSettings.Load(configuration);
        await Commands.Seed.SeedHost.WithStoreAsync(
            configuration,
            settings,
            async services =>
            {
                SeedRegistry seeds = services.GetRequiredService<SeedRegistry>();
                IObjectStore store = services.GetRequiredService<IObjectStore>();
                Assert.Equal(isComplete ? 1 : 0, seeds.List().Count);
                Assert.Equal(isComplete, seeds.HeldManifest(tiny.Fqrn) is not null);
                ScrubReport check = await ((FasterObjectStore)store).VerifyAsync(null, isRepairing: false);
                Assert.Empty(check.Damaged);
                Assert.True(!isComplete || check.Objects >= seeds.List()[0].Objects);
                Assert.True(!isComplete || tiny.Objects.Keys.Count(key => store.Contains(key)) >= seeds.List()[0].Objects);
                return 0;
            },
            CancellationToken.None);
    }

    private static Process Start(string settings)
    {
        ProcessStartInfo start = ProxyProcess.OwnExecutable();
        foreach (string argument in (string[])["seed", "import", "-", "--settings", settings])
        {
            start.ArgumentList.Add(argument);
        }

        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        return Process.Start(start)!;
    }
}

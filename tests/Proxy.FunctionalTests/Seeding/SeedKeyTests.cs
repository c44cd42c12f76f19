using System.Text.Json;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Commands.Seed;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Seeding;

/// <summary>Master keys that change under an imported seed, with no Stratum 1 to ask (ADR 0031).</summary>
public sealed class SeedKeyTests
{
    [Fact]
    public async Task Seed_TheKeyThatProvesItRetiredAndPutBack_IsWithdrawnAndShownAgain()
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using SeedBench bench = await SeedBench.StartAsync(minios);
        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        await SeedBench.ImportAsync(lab, await bench.ExportAsync(SeedBench.All(minios.Fqrn)));
        string manifest = minios.UrlPath(".cvmfspublished");
        RepositoryTrust trust = lab.Services.GetRequiredService<RepositoryTrust>();
        SignedDocuments signed = lab.Services.GetRequiredService<SignedDocuments>();
        MasterKeys right = trust.Keys;
        Assert.Equal(200, (await lab.GetAsync(manifest)).Status);
        Assert.True(signed.Repositories.Single().Pair!.IsVerified);

        trust.Keys = MasterKeys.Of(Fqrn.Parse(minios.Fqrn), await File.ReadAllTextAsync(FixtureRepository.Tiny.MasterKeyPath)).Value!;
        Assert.NotEqual(200, (await lab.GetAsync(manifest)).Status);
        await lab.RestartAsync(); // by the settings' keys again
        Assert.Equal(200, (await lab.GetAsync(manifest)).Status);

        trust = lab.Services.GetRequiredService<RepositoryTrust>();
        signed = lab.Services.GetRequiredService<SignedDocuments>();
        trust.Keys = MasterKeys.Of(Fqrn.Parse(minios.Fqrn), await File.ReadAllTextAsync(FixtureRepository.Tiny.MasterKeyPath)).Value!;
        Assert.Null(signed.Repositories.Single().Pair);
        trust.Keys = right;
        await Waiting.UntilAsync(() => signed.Repositories.Single().Pair is { IsVerified: true });
        Assert.Equal(200, (await lab.GetAsync(manifest)).Status);
    }

    // The list said what was found at the import, until the seed was imported again.
    [Fact]
    public async Task Seed_TheKeyComesAfterTheImport_IsListedAsVerifiedFromThenOn()
    {
        await using LabWithoutKey lab = await LabWithoutKey.StartAsync();
        await lab.ImportAsync();
        Assert.False(await IsVerifiedAsync());

        lab.PutKey(lab.Repository);
        Assert.True(await IsVerifiedAsync());
        SignedDocuments signed = lab.Proxy.Services.GetRequiredService<SignedDocuments>();
        await Waiting.UntilAsync(() => signed.Repositories.Single().Pair is { IsVerified: true });

        lab.PutKey(FixtureRepository.Tiny);
        Assert.False(await IsVerifiedAsync());

        async Task<bool> IsVerifiedAsync() =>
            Assert.Single(await lab.Client.GetAsync<SeedRecord[]>("seeds", default)).Repositories.Single().IsVerified;
    }

    [Fact]
    public async Task Seed_ImportedRightAfterItsKeyCame_IsVerified()
    {
        await using LabWithoutKey lab = await LabWithoutKey.StartAsync();

        lab.PutKey(lab.Repository);
        SeedImportResult result = await lab.ImportAsync();

        Assert.True(result.Record.Repositories.Single().IsVerified);
        Assert.Empty(result.Warnings);
    }

    [Fact]
    public async Task SeedList_OfAStoreThatNobodyServes_JudgesByTheKeysOfNow()
    {
        FixtureRepository tiny = FixtureRepository.Tiny;
        await using SeedBench bench = await SeedBench.StartAsync(tiny);
        using var directory = new TemporaryDirectory();
        string bundle = directory.Combine("lab.tar");
        string key = bench.KeysDirectory + "/tiny.example.org.pub";
        await File.WriteAllBytesAsync(bundle, await bench.ExportAsync(SeedBench.All(tiny.Fqrn)));
        File.Delete(key);
        string settings = directory.Combine("settings.json");
        await File.WriteAllTextAsync(settings, JsonSerializer.Serialize(new
        {
            Store = new { Path = directory.Combine("store") },
            Repositories = new { bench.KeysDirectory },
        }));
        Assert.Equal(0, (await RunAsync("import", bundle)).ExitCode);

        string before = (await RunAsync("list")).Output;
        File.Copy(tiny.MasterKeyPath, key);
        string after = (await RunAsync("list")).Output;
        File.Copy(FixtureRepository.MiniOs.MasterKeyPath, key, overwrite: true);
        string other = (await RunAsync("list")).Output;

        Assert.Contains("tiny.example.org (unverified)", before, StringComparison.Ordinal);
        Assert.DoesNotContain("(", after, StringComparison.Ordinal);
        Assert.Contains("tiny.example.org (refused by this site's key)", other, StringComparison.Ordinal);

        Task<CommandResult> RunAsync(params string[] words) =>
            CommandInProcess.RunAsync(SeedCommand.Create(), [.. words, "--settings", settings]);
    }

    /// <summary>A proxy without a network, a bundle for it, and no key of the repository that the bundle brings.</summary>
    private sealed class LabWithoutKey(SeedBench bench, byte[] bundle, ProxyUnderTest proxy) : IAsyncDisposable
    {
        public FixtureRepository Repository => FixtureRepository.MiniOs;

        public ProxyUnderTest Proxy => proxy;

        public AdminClient Client { get; } = new(proxy.Services.GetRequiredService<BreakwaterSettings>());

        public static async Task<LabWithoutKey> StartAsync()
        {
            SeedBench bench = await SeedBench.StartAsync(FixtureRepository.MiniOs);
            byte[] bundle = await bench.ExportAsync(SeedBench.All(FixtureRepository.MiniOs.Fqrn));
            File.Delete(KeyPathOf(bench));
            return new LabWithoutKey(bench, bundle, await bench.StartOfflineAsync());
        }

        public void PutKey(FixtureRepository ofWhom) => File.Copy(ofWhom.MasterKeyPath, KeyPathOf(bench), overwrite: true);

        public Task<SeedImportResult> ImportAsync() => Client.UploadAsync<SeedImportResult>("seeds", new MemoryStream(bundle), default);

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            await proxy.DisposeAsync();
            await bench.DisposeAsync();
        }

        private static string KeyPathOf(SeedBench bench) => bench.KeysDirectory + "/minios.example.org.pub";
    }
}

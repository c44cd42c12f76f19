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
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using SeedBench bench = await SeedBench.StartAsync(minios);
        byte[] bundle = await bench.ExportAsync(SeedBench.All(minios.Fqrn));
        string key = bench.KeysDirectory + "/minios.example.org.pub";
        File.Delete(key);
        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        using var client = new AdminClient(lab.Services.GetRequiredService<BreakwaterSettings>());
        await client.UploadAsync<SeedImportResult>("seeds", new MemoryStream(bundle), default);
        Assert.False(await IsVerifiedAsync());

        File.Copy(minios.MasterKeyPath, key);
        Assert.True(await IsVerifiedAsync());
        SignedDocuments signed = lab.Services.GetRequiredService<SignedDocuments>();
        await Waiting.UntilAsync(() => signed.Repositories.Single().Pair is { IsVerified: true });

        File.Copy(FixtureRepository.Tiny.MasterKeyPath, key, overwrite: true);
        Assert.False(await IsVerifiedAsync());

        async Task<bool> IsVerifiedAsync() =>
            Assert.Single(await client.GetAsync<SeedRecord[]>("seeds", default)).Repositories.Single().IsVerified;
    }

    [Fact]
    public async Task Seed_ImportedRightAfterItsKeyCame_IsVerified()
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using SeedBench bench = await SeedBench.StartAsync(minios);
        byte[] bundle = await bench.ExportAsync(SeedBench.All(minios.Fqrn));
        string key = bench.KeysDirectory + "/minios.example.org.pub";
        File.Delete(key);
        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        using var client = new AdminClient(lab.Services.GetRequiredService<BreakwaterSettings>());

        File.Copy(minios.MasterKeyPath, key);
        SeedImportResult result = await client.UploadAsync<SeedImportResult>("seeds", new MemoryStream(bundle), default);

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
}

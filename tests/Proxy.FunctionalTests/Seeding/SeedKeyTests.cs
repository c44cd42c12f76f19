using Breakwater.Proxy.Documents;
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
}

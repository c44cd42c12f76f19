using Breakwater.Proxy.Admin;
using Breakwater.Proxy.FunctionalTests.Seeding;
using Breakwater.Proxy.Holdings;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Holdings;

/// <summary><c>Seeds:Files</c> in the settings of an offline proxy.</summary>
public sealed class DeclaredSeedTests : IAsyncLifetime
{
    private static readonly FixtureRepository s_tiny = FixtureRepository.Tiny;

    private readonly TemporaryDirectory _files = new();
    private SeedBench _bench = null!;
    private byte[] _bundle = null!;
    private ProxyUnderTest _proxy = null!;

    public async Task InitializeAsync()
    {
        _bench = await SeedBench.StartAsync(s_tiny);
        _bundle = await _bench.ExportAsync(SeedBench.All(s_tiny.Fqrn));
        _proxy = await _bench.StartOfflineAsync();
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _bench.DisposeAsync();
        _files.Dispose();
    }

    [Fact]
    public async Task Seed_DeclaredAtAReload_IsImportedOnce_ServedAndGoneWhenItLeaves()
    {
        string file = Write("site.seed");
        _proxy.Change(Files(file));
        await DoneAsync();
        SeedRecord seed = Assert.Single(Seeds.List());
        Assert.Equal(200, (await _proxy.GetAsync($"/cvmfs/{s_tiny.Fqrn}/.cvmfspublished")).Status);

        await _proxy.RestartAsync();
        await DoneAsync();
        Assert.Equal(seed.ImportedAt, Assert.Single(Seeds.List()).ImportedAt);

        await _proxy.RestartAsync(Files());
        Assert.Empty(Seeds.List());
        Assert.Empty(_proxy.Store.Pins.Names);
    }

    [Fact]
    public async Task Seed_ThatACommandImported_StaysWhateverTheSettingsSay()
    {
        await SeedBench.ImportAsync(_proxy, _bundle);
        SeedRecord seed = Assert.Single(Seeds.List());

        _proxy.Change(Files(Write("site.seed")));
        await DoneAsync();
        await _proxy.RestartAsync(Files());

        Assert.Equal(seed.ImportedAt, Assert.Single(Seeds.List()).ImportedAt);
    }

    [Fact]
    public async Task Seed_FileMissingDamagedOrTwice_IsAFindingEach_AndTheOthersAreImported()
    {
        string damaged = Write("damaged.seed");
        await File.WriteAllBytesAsync(damaged, _bundle[..(_bundle.Length / 2)]);
        string missing = _files.Combine("missing.seed");
        string other = _files.Combine("other.seed");
        await File.WriteAllBytesAsync(other, await _bench.ExportAsync(SeedBench.All(s_tiny.Fqrn) with { Name = "other" }));
        _proxy.Change(Files(damaged, missing, Write("a.seed"), Write("b.seed"), _files.Path, other));
        await Waiting.UntilAsync(() => Declared.All is { Count: 6 } all && all.All(one => one.State != DeclaredState.UnderWay));

        string[] findings = [.. _proxy.Services.GetRequiredService<Health>().Check().Findings.Select(f => f.Text)];
        Assert.Contains(findings, f => f.StartsWith($"Seeds:Files: {missing}: there is no such file.", StringComparison.Ordinal));
        Assert.Contains(findings, f => f.StartsWith($"Seeds:Files: {damaged}: ", StringComparison.Ordinal));
        Assert.Contains(findings, f => f.Contains("b.seed: its seed is named", StringComparison.Ordinal));
        Assert.Contains(findings, f => f.Contains("this is a folder", StringComparison.Ordinal));
        Assert.Equal([_files.Combine("a.seed"), other], Seeds.List().Select(seed => seed.File!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task SeedRemove_OfADeclaredSeed_IsRefused()
    {
        _proxy.Change(Files(Write("site.seed")));
        await DoneAsync();
        using var client = new AdminClient(_proxy.Services.GetRequiredService<BreakwaterSettings>());

        AdminException refused = await Assert.ThrowsAsync<AdminException>(() =>
            client.DeleteAsync<object>($"seeds/{Seeds.List().Single().Name}", default));

        Assert.Contains("out of Seeds:Files", refused.Message, StringComparison.Ordinal);
        Assert.Single(Seeds.List());
    }

    private SeedRegistry Seeds => _proxy.Services.GetRequiredService<SeedRegistry>();

    private Declarations Declared => _proxy.Services.GetRequiredService<Declarations>();

    private Task DoneAsync() =>
        Waiting.UntilAsync(() => Declared.All.All(one => one.State == DeclaredState.Done) && Declared.All.Count > 0);

    private string Write(string name)
    {
        File.WriteAllBytes(_files.Combine(name), _bundle);
        return _files.Combine(name);
    }

    private static Dictionary<string, string?> Files(params string[] files) =>
        Enumerable.Range(0, 6).ToDictionary(i => $"Seeds:Files:{i}", i => files.ElementAtOrDefault(i));
}

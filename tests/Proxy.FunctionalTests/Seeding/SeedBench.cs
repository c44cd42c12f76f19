using System.Globalization;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Export;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Seeding;

/// <summary>A place to export from (a proxy before a fixture's Stratum 1) and places to import to (offline proxies).</summary>
internal sealed class SeedBench : IAsyncDisposable
{
    private readonly TemporaryDirectory _keys = new();
    private readonly ScriptedUpstream _upstream;

    private SeedBench(ScriptedUpstream upstream, IEnumerable<string> fqrns)
    {
        _upstream = upstream;
        foreach (string fqrn in fqrns)
        {
            File.Copy(FixtureRepository.Load(fqrn).MasterKeyPath, _keys.Combine(fqrn + ".pub"));
        }
    }

    public ProxyUnderTest Source { get; private set; } = null!;

    public ScriptedUpstream Upstream => _upstream;

    public string KeysDirectory => _keys.Path;

    public SeedTrust Trust => new(new RepositoryTrust(MasterKeys.Load(_keys.Path)), TimeProvider.System);

    public static async Task<SeedBench> StartAsync(params FixtureRepository[] repositories)
    {
        var bench = new SeedBench(ScriptedUpstream.Serving(repositories), repositories.Select(repository => repository.Fqrn));
        bench.Source = await ProxyUnderTest.StartAsync(bench.Keys(), null, bench._upstream);
        return bench;
    }

    /// <summary>An offline proxy with an empty store.</summary>
    public Task<ProxyUnderTest> StartOfflineAsync(long? quotaBytes = null)
    {
        Dictionary<string, string?> settings = Keys();
        settings["Store:QuotaBytes"] = quotaBytes?.ToString(CultureInfo.InvariantCulture);
        settings["Proxy:Offline"] = "true";
        settings["Repositories:*.example.org:Cluster"] = "test";
        settings["ReverseProxy:Clusters:test:Destinations:s1:Address"] = _upstream.Address;
        return ProxyUnderTest.StartAsync(settings, null);
    }

    public async Task<byte[]> ExportAsync(SeedOrder order)
    {
        IServiceProvider services = Source.Services;
        SeedPlan plan = await services.GetRequiredService<SeedPlanner>().PlanAsync(order, default);
        SeedExporter exporter = services.GetRequiredService<SeedExporter>();
        await exporter.FetchAsync(plan, order, null, default);
        using var bundle = new MemoryStream();
        await exporter.WriteAsync(plan, order, bundle, null, default);
        return bundle.ToArray();
    }

    public static SeedOrder All(params string[] fqrns) => new() { Repositories = fqrns, Scope = "all" };

    public static Task<SeedImportResult> ImportAsync(ProxyUnderTest proxy, byte[] bundle, string? name = null) =>
        proxy.Services.GetRequiredService<SeedImporter>()
        .ImportAsync(new BundleSource(new MemoryStream(bundle), new SeedLimits(1 << 30)), name, null, default);

    public Task<SeedFindings> VerifyAsync(byte[] bundle) =>
        SeedImporter.VerifyAsync(new MemoryStream(bundle), Trust, new SeedLimits(1 << 30), null, default);

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await _upstream.DisposeAsync();
        _keys.Dispose();
    }

    private Dictionary<string, string?> Keys() => new() { ["Repositories:KeysDirectory"] = _keys.Path };
}

using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Host;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Documents;

/// <summary>A proxy that is put together and not started, with one Stratum 1: what stands below all that listens.</summary>
/// <param name="start">The time when it is put together; null: some time.</param>
internal sealed class BuiltDocuments(DateTimeOffset? start = null) : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private WebApplication _app = null!;

    public ScriptedUpstream Upstream { get; } = ScriptedUpstream.Start();

    public FakeTimeProvider Time { get; } = new(start ?? new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));

    public FasterObjectStore Store { get; private set; } = null!;

    /// <summary>The folder of the master keys; empty at first.</summary>
    public string Keys => _directory.Combine("keys");

    public async Task OpenAsync()
    {
        Directory.CreateDirectory(Keys);
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Proxy:Listen:0"] = "127.0.0.1:0",
            ["Admin:Listen"] = "127.0.0.1:0",
            ["Proxy:ConnectTimeout"] = "00:01:00",
            ["Store:Path"] = _directory.Combine("store"),
            ["Store:QuotaBytes"] = "268435456",
            ["Repositories:KeysDirectory"] = Keys,
            ["Repositories:*.example.org:Cluster"] = "test",
            ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = Upstream.Address,
            ["Logging:LogLevel:Default"] = "None",
        }).Build();
        BreakwaterSettings settings = BreakwaterSettings.Load(configuration);
        Store = await FasterObjectStore.OpenAsync(settings.Store);
        _app = ProxyServer.Build(configuration, settings, Store, Time);
    }

    /// <summary>As the other, with a repository that its Stratum 1 serves and whose key it knows.</summary>
    public async Task OpenAsync(FixtureRepository repository)
    {
        await OpenAsync();
        File.Copy(repository.MasterKeyPath, Path.Combine(Keys, repository.Fqrn + ".pub"));
        Get<KeysWatch>().Look();
        Upstream.Serve(repository);
    }

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await Store.DisposeAsync();
        await Upstream.DisposeAsync();
        _directory.Dispose();
    }
}

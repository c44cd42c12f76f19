using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Breakwater.CacheStore.Faster;
using Breakwater.Proxy.Pipeline;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>A changed settings file, the proxy running, a client in the middle of its connection.</summary>
public sealed class ReloadTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private readonly Lines _log = new();
    private readonly SyntheticObject _item = new(5_000);
    private LiveSettings _live = null!;
    private FasterObjectStore _store = null!;
    private WebApplication _app = null!;
    private RawHttpClient _client = null!;

    private string SettingsPath => _directory.Combine("appsettings.json");

    public async Task InitializeAsync()
    {
        _item.On(_upstream);
        Write([]);
        _live = new LiveSettings(SettingsFile.LoadSources(new FileInfo(SettingsPath)), _log);
        _store = await FasterObjectStore.OpenAsync(_live.Settings.Store);
        _app = ProxyServer.Build(_live.Configuration, _live.Settings, _store);
        await _app.StartAsync();
        string address = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        _client = await RawHttpClient.ConnectAsync(IPEndPoint.Parse(new Uri(address).Authority));
        Assert.Equal(200, await StatusAsync());
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
        await _store.DisposeAsync();
        _live.Dispose();
        await _upstream.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Repository_TakenOutAndPutBack_IsInForceOnAnOpenConnection()
    {
        Change(new() { ["Repositories:synthetic.example.org:Cluster"] = null, ["Repositories:other.example.org:Cluster"] = "test" });
        Assert.Equal(403, await StatusAsync());

        Change([]);
        Assert.Equal(200, await StatusAsync());
    }

    [Fact]
    public async Task Password_SetAndTakenAway_IsInForceOnAnOpenConnection()
    {
        Change(new() { ["Access:Users:alice"] = "secret" });
        Assert.Equal(407, await StatusAsync());

        Change([]);
        Assert.Equal(200, await StatusAsync());
    }

    [Fact]
    public async Task Clients_WithoutThisOne_ItsNextRequestIsRefused()
    {
        Change(new() { ["Access:Clients:0"] = "10.0.0.0/8" });

        Assert.Equal(403, await StatusAsync());
    }

    [Fact]
    public async Task Settings_WithMistakes_AreRefusedWithAllOfThemAndTheOldOnesStay()
    {
        Change(new() { ["Access:Clients:0"] = "10.0.0.0/40", ["Access:Connect:0"] = "not a host", ["Access:MaxConnectionsPerClient"] = "-1", ["Access:Users:alice"] = "secret" });

        Assert.Equal(200, await StatusAsync());
        string refusal = Assert.Single(_log.All, line => line.Contains("refused", StringComparison.Ordinal));
        Assert.All(["Access:Clients", "Access:Connect", "Access:MaxConnectionsPerClient"], name => Assert.Contains(name, refusal, StringComparison.Ordinal));
        Assert.DoesNotContain("Access:Users", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_ThatAreNotJson_AreRefusedAndRightOnesLaterAreTaken()
    {
        File.WriteAllText(SettingsPath, "{ \"Access\": ");
        _live.ReadAgain();
        Assert.Equal(200, await StatusAsync());
        Assert.Contains(_log.All, line => line.Contains("refused", StringComparison.Ordinal) && line.Contains("appsettings.json", StringComparison.Ordinal));

        Change(new() { ["Access:Clients:0"] = "10.0.0.0/8" });
        Assert.Equal(403, await StatusAsync());
    }

    private async Task<int> StatusAsync() => (await _client.GetAsync(_item.Url)).Status;

    /// <summary>Writes the file and reads it again, as SIGHUP does; whether the watch was quicker does not matter.</summary>
    private void Change(Dictionary<string, string?> changes)
    {
        Write(changes);
        _live.ReadAgain();
    }

    private void Write(Dictionary<string, string?> changes)
    {
        Dictionary<string, string?> all = new()
        {
            ["Proxy:Listen:0"] = "127.0.0.1:0",
            ["Admin:Listen"] = "127.0.0.1:0",
            ["Store:Path"] = _directory.Combine("store"),
            ["Repositories:synthetic.example.org:Cluster"] = "test",
            ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = _upstream.Address,
            ["ReverseProxy:Clusters:stratum1:HealthCheck:Active:Enabled"] = "false",
            ["ReverseProxy:Clusters:egi:HealthCheck:Active:Enabled"] = "false",
            ["ReverseProxy:Clusters:osg:HealthCheck:Active:Enabled"] = "false",
            ["Logging:LogLevel:Default"] = "Error",
        };
        foreach ((string name, string? value) in changes)
        {
            if (value is null)
            {
                all.Remove(name);
            }
            else
            {
                all[name] = value;
            }
        }

        // Moved into place: the watch never sees half of it.
        string fresh = SettingsPath + ".new";
        File.WriteAllText(fresh, JsonSerializer.Serialize(all));
        File.Move(fresh, SettingsPath, overwrite: true);
    }

    private sealed class Lines : ILogger
    {
        public ConcurrentQueue<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            string line = formatter(state, exception);
            if (!All.Contains(line))
            {
                All.Enqueue(line);
            }
        }
    }
}

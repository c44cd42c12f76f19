using Breakwater.Proxy.Access;
using Breakwater.Proxy.Host;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.Proxy.Tests.Host;

/// <summary>What runs beside the listener: settings that are read again, and word of the process's life.</summary>
public sealed class HostServicesTests : IDisposable
{
    private readonly Drain _drain = new();
    private readonly ApplicationLifetime _lifetime = new(NullLogger<ApplicationLifetime>.Instance);

    public void Dispose() => _drain.Dispose();

    [Fact]
    public async Task Reloading_OfSettings_ReachesEachRoomWhileTheyAreRightAndTheProxyRuns()
    {
        IConfigurationRoot configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Repositories:*.example.org:Cluster"] = "test",
            ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://s1.example.org/",
        }).Build();
        Room one = new(), other = new();
        var log = new LogLines<Reloading>();
        using var reloading = new Reloading(configuration, [one, other], log);
        Change("1");
        Assert.Empty(one.Taken);
        await reloading.StartAsync(default);

        Change("2");
        Change("many");
        Change("3");

        Assert.Equal([2, 3], one.Taken);
        Assert.Equal([2, 3], other.Taken);
        Assert.Contains("Access:MaxConnectionsPerClient: 'many'", Assert.Single(log.Said), StringComparison.Ordinal);
        await reloading.StopAsync(default);
        Change("4");
        Assert.Equal([2, 3], one.Taken);

        void Change(string connections)
        {
            configuration["Access:MaxConnectionsPerClient"] = connections;
            configuration.Reload();
        }
    }

    [Fact]
    public async Task ServiceManager_OfAProxy_IsToldWhenItListensAndWhenItTakesLeave()
    {
        var notifier = new Notifier();
        var manager = new ServiceManager(_lifetime, _drain, notifier);
        await manager.StartAsync(default);
        Assert.Empty(notifier.Said);

        _lifetime.NotifyStarted();
        Assert.Equal(["READY=1"], notifier.Said);
        _drain.Begin();
        Assert.Equal(["READY=1", "STOPPING=1"], notifier.Said);
        await manager.StopAsync(default);
        Assert.Equal(2, notifier.Said.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Health_OfTheProcess_IsReadyFromTheStartToTheLeave(bool isDrained)
    {
        var health = new LifetimeHealth(_lifetime, _drain);
        Assert.Equal(("starting", HealthLevel.Unready), Found());
        _lifetime.NotifyStarted();
        Assert.Empty(health.Find());
        if (isDrained)
        {
            _drain.Begin();
        }
        else
        {
            _lifetime.StopApplication();
        }

        Assert.Equal(("draining", HealthLevel.Unready), Found());

        (string, HealthLevel) Found() => (Assert.Single(health.Find()).Name, Assert.Single(health.Find()).Level);
    }

    private sealed class Room : IReloadable
    {
        public List<int> Taken { get; } = [];

        public void Take(BreakwaterSettings settings) => Taken.Add(settings.Access.MaxConnectionsPerClient);
    }

    private sealed class Notifier : ISystemdNotifier
    {
        public List<string> Said { get; } = [];

        public bool IsEnabled => true;

        public void Notify(ServiceState state) => Said.Add(state.ToString());
    }
}

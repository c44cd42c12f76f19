using Breakwater.Proxy.Commands.Demo;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary>
/// <c>breakwater serve</c> as a process, before one Stratum 1 that plays all of the shipped ones, so that nothing leaves this machine.
/// </summary>
public sealed class RunningBreakwater : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private ProxyProcess? _process;

    /// <summary>The Stratum 1.</summary>
    internal ScriptedUpstream Stratum1 { get; } = ScriptedUpstream.Serving(FixtureRepository.Tiny);

    /// <summary>The settings, by environment variable; commands with them find the process.</summary>
    internal Dictionary<string, string> Settings { get; } = [];

    /// <summary>Where it listens.</summary>
    internal System.Net.IPEndPoint EndPoint => _process!.EndPoint;

    public async Task InitializeAsync()
    {
        IConfigurationRoot shipped = SettingsFile.Load(null);
        foreach (IConfigurationSection cluster in shipped.GetSection("ReverseProxy:Clusters").GetChildren())
        {
            // Nobody probes: what a test has not asked for has not been asked.
            Settings[$"ReverseProxy__Clusters__{cluster.Key}__HealthCheck__Active__Enabled"] = "false";
            foreach (IConfigurationSection destination in cluster.GetSection("Destinations").GetChildren())
            {
                Settings[$"ReverseProxy__Clusters__{cluster.Key}__Destinations__{destination.Key}__Address"] = Stratum1.Address;
            }
        }

        Settings["ReverseProxy__Clusters__test__Destinations__s1__Address"] = Stratum1.Address;
        Settings["Repositories__*.example.org__Cluster"] = "test";
        Settings["Proxy__Listen__0"] = "127.0.0.1:0";
        Settings["Proxy__FirstByteTimeout"] = "00:00:30"; // its Stratum 1 is in this process, which other tests keep busy
        Settings["Admin__Listen"] = "127.0.0.1:0";
        Settings["Store__Path"] = _directory.Combine("store");
        await StartAsync();
    }

    /// <summary>Starts it, again after <see cref="StopAsync"/>: with the same store, on other ports.</summary>
    internal async Task StartAsync() => _process = await ProxyProcess.StartAsync(Settings, CancellationToken.None);

    /// <summary>Kills it.</summary>
    internal Task StopAsync() => _process!.KillAsync();

    public async Task DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        await Stratum1.DisposeAsync();
        _directory.Dispose();
    }

    /// <summary>Runs a command with the same settings, some of them changed.</summary>
    internal Task<CommandResult> RunAsync(IEnumerable<string> arguments, params IEnumerable<(string Name, string Value)> changed)
    {
        var settings = new Dictionary<string, string>(Settings);
        foreach ((string name, string value) in changed)
        {
            settings[name] = value;
        }

        return BreakwaterCommand.RunAsync(settings, arguments);
    }
}

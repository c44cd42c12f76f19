using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.Proxy.Commands.Seed;
using Breakwater.Proxy.Seeding.Export;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.WorkingSets;
using Breakwater.TestSupport;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Seeding;

/// <summary>
/// The way of a bundle as an operator goes it, each step a process of its own: export, import elsewhere, serve without a network.
/// </summary>
public sealed class OfflineLabTests : IAsyncLifetime
{
    /// <summary>The runtime's own record of every socket and name lookup of a process, whoever makes them.</summary>
    private const string SocketEvents = "System.Net.Sockets:0xFFFFFFFFFFFFFFFF:5,System.Net.NameResolution:0xFFFFFFFFFFFFFFFF:5";

    private readonly TemporaryDirectory _directory = new();
    private readonly FixtureRepository _minios = FixtureRepository.MiniOs;
    private readonly ScriptedUpstream _stratum1 = ScriptedUpstream.Serving(FixtureRepository.MiniOs);

    public Task InitializeAsync()
    {
        Directory.CreateDirectory(_directory.Combine("keys"));
        File.Copy(_minios.MasterKeyPath, _directory.Combine("keys/minios.example.org.pub"));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _stratum1.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task WorkingSet_ExportedImportedServed_EveryRequestOfABootAHitAndNoSocketConnects()
    {
        await GiveWorkingSetAsync("boot");
        string bundle = _directory.Combine("lab.tar");
        await RunAsync("export", isOffline: false, "seed", "export", _minios.Fqrn, "--working-set", "boot", "--output", bundle);
        Assert.Contains("HEAD4", await RunAsync("show", isOffline: true, "seed", "show", bundle), StringComparison.Ordinal);
        await RunAsync("verify", isOffline: true, "seed", "verify", bundle);
        int asked = _stratum1.ConnectionsAccepted;

        await RunAsync("import", isOffline: true, "seed", "import", bundle);
        await using (ProxyProcess lab = await ServeAsync("lab", isOffline: true))
        {
            foreach (string url in FixtureRepository.BootRequests(2))
            {
                RawResponse response = await RawHttpClient.GetOnceAsync(lab.EndPoint, url);
                Assert.Equal(200, response.Status);
                Assert.Contains("hit", response.Header("Cache-Status"), StringComparison.Ordinal);
                Assert.Equal(_minios.Files[url[$"/cvmfs/{_minios.Fqrn}/".Length..]], response.Body);
            }

            Assert.Equal(404,
                (await RawHttpClient.GetOnceAsync(lab.EndPoint, _minios.UrlPath("data/00/000000000000000000000000000000000000ff"))).Status);
            Assert.Equal(404, (await RawHttpClient.GetOnceAsync(lab.EndPoint, "/cvmfs/other.example.org/.cvmfspublished")).Status);
            await StopAsync(lab);
        }

        // The record of the export shows what a connection looks like in it.
        Assert.True(Recorded("export", "ConnectStart"));
        Assert.True(Recorded("lab", "AcceptStart"));
        Assert.All((string[])["import", "lab"],
            step => Assert.False(Recorded(step, "ConnectStart") || Recorded(step, "ResolutionStart"), step));
        Assert.Equal(asked, _stratum1.ConnectionsAccepted);
    }

    [Fact]
    public async Task WorkingSet_OfTheServerThatOwnsTheStore_IsAskedOfIt()
    {
        await GiveWorkingSetAsync("boot");
        await using ProxyProcess server = await ServeAsync("server", isOffline: false);
        IConfigurationRoot configuration = Configuration(isOffline: false);
        IReadOnlyDictionary<string, WorkingSet> sets =
            await SeedWorkingSets.LoadAsync(new FileInfo(SettingsFile(isOffline: false)), [_minios.Fqrn], "boot", default);
        Assert.Equal(["HEAD4"], sets[_minios.Fqrn].Snapshots);
        Assert.NotEmpty(sets[_minios.Fqrn].Entries);
        await Assert.ThrowsAsync<StoreInUseException>(
            () => SeedHost.WithStoreAsync(configuration, BreakwaterSettings.Load(configuration), _ => Task.FromResult(0), default));
    }

    [Fact]
    public async Task WorkingSet_ThatIsNotThere_IsRefusedWithThoseThatAre()
    {
        await GiveWorkingSetAsync("boot");
        SeedExportException refused = await Assert.ThrowsAsync<SeedExportException>(
            () => SeedWorkingSets.LoadAsync(new FileInfo(SettingsFile(isOffline: false)), [_minios.Fqrn], "night", default));
        Assert.Contains("It has: boot", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>As 'profile import' of a client's trace does.</summary>
    private async Task GiveWorkingSetAsync(string name)
    {
        string trace = Encoding.UTF8.GetString(FixtureRepository.ReadFixtureFile("minios/boot-trace.v2.csv"));
        IConfigurationRoot configuration = Configuration(isOffline: false);
        await SeedHost.WithStoreAsync(
            configuration,
            BreakwaterSettings.Load(configuration),
            async services =>
            {
                WorkingSet set = SeedPathList.Read(trace, [_minios.Fqrn]).Value!.ToSet(_minios.Fqrn, ["HEAD4"]) with { Name = name };
                Assert.True(await services.GetRequiredService<WorkingSetStore>().PutAsync(set));
                return 0;
            },
            default);
    }

    private IConfigurationRoot Configuration(bool isOffline) => new ConfigurationBuilder().AddJsonFile(SettingsFile(isOffline)).Build();

    /// <summary>Offline: another store, and no cluster at all.</summary>
    private string SettingsFile(bool isOffline)
    {
        string file = _directory.Combine(isOffline ? "offline.json" : "online.json");
        Dictionary<string, object> settings = new()
        {
            ["Proxy"] = new Dictionary<string, object> { ["Offline"] = isOffline, ["Listen"] = new[] { "127.0.0.1:0" } },
            ["Store"] = new { Path = _directory.Combine(isOffline ? "lab-store" : "store") },
            ["Admin"] = new { Listen = "127.0.0.1:0" },
            ["Repositories"] =
                new Dictionary<string, object>
                {
                    ["KeysDirectory"] = _directory.Combine("keys"),
                    ["*.example.org"] = new { Cluster = "test" }
                },
            ["ReverseProxy"] = new { Clusters = new { test = new { Destinations = new { only = new { _stratum1.Address } } } } },
        };
        File.WriteAllText(file, JsonSerializer.Serialize(settings));
        return file;
    }

    private async Task<string> RunAsync(string step, bool isOffline, params string[] arguments)
    {
        ProcessStartInfo start = ProxyProcess.OwnExecutable();
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        if (arguments[1] is not "show")
        {
            start.ArgumentList.Add("--settings");
            start.ArgumentList.Add(SettingsFile(isOffline));
        }

        foreach ((string name, string value) in Recording(step))
        {
            start.Environment[name] = value;
        }

        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string errors = await process.StandardError.ReadToEndAsync().InTimeAsync();
        await process.WaitForExitAsync().InTimeAsync();
        Assert.True(process.ExitCode == 0, errors);
        return await output;
    }

    private Task<ProxyProcess> ServeAsync(string step, bool isOffline)
    {
        Dictionary<string, string> settings = Recording(step);
        foreach ((string key, string? value) in Configuration(isOffline).AsEnumerable().Where(item => item.Value is not null))
        {
            settings[key.Replace(":", "__", StringComparison.Ordinal)] = value!;
        }

        return ProxyProcess.StartAsync(settings, CancellationToken.None);
    }

    /// <summary>In order, so that the record is written to its end.</summary>
    private static async Task StopAsync(ProxyProcess proxy)
    {
        using var process = Process.GetProcessById(proxy.Id);
        using var terminate = Process.Start("kill", ["-TERM", proxy.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await process.WaitForExitAsync().InTimeAsync();
    }

    private Dictionary<string, string> Recording(string step) => new()
    {
        ["DOTNET_EnableEventPipe"] = "1",
        ["DOTNET_EventPipeOutputPath"] = _directory.Combine(step + ".nettrace"),
        ["DOTNET_EventPipeConfig"] = SocketEvents,
    };

    /// <summary>Did an event of this name occur? The format names an event when it first occurs.</summary>
    private bool Recorded(string step, string name) =>
        File.ReadAllBytes(_directory.Combine(step + ".nettrace")).AsSpan().IndexOf(Encoding.Unicode.GetBytes(name)) >= 0;
}

using System.Text.Json;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Seeding;

/// <summary>
/// An offline lab as the teacher's sheet says: what a seed brings is served at once, by a running server that names no repository.
/// </summary>
public sealed class SeedServedTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FixtureRepository _tiny = FixtureRepository.Tiny;
    private readonly ScriptedUpstream _stratum1 = ScriptedUpstream.Serving(FixtureRepository.Tiny);

    private string Bundle => _directory.Combine("lab.tar");

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _stratum1.DisposeAsync();
        _directory.Dispose();
    }

    // 8: every request was a 403 while the status said that it boots; 2: a pin that no command removed.
    [Fact]
    public async Task Offline_ImportIntoARunningServer_IsServedAtOnceAndItsPinsCanBeListed()
    {
        await RunAsync(["seed", "export", _tiny.Fqrn, "--all", "--from", _stratum1.Address, "--split", "1M", "-o", Bundle], "export");
        Assert.True(File.Exists(Bundle + ".001") && !File.Exists(Bundle));
        await using ProxyProcess lab = await ProxyProcess.StartAsync(Settings("lab"), CancellationToken.None);
        Assert.Equal(403, await StatusAsync(lab));

        await RunAsync(["seed", "import", Bundle], "lab");
        Assert.Equal(200, await StatusAsync(lab));

        JsonElement pins = JsonElement.Parse((await RunAsync(["pin", "list", "--json"], "lab")).Output);
        string seed = Assert.Single(pins.EnumerateArray()).GetProperty("name").GetString()!;
        CommandResult refused = await BreakwaterCommand.RunAsync(Settings("lab"), "pin", "remove", seed);
        Assert.Equal(69, refused.ExitCode);
        Assert.Contains("breakwater seed remove", refused.Error, StringComparison.Ordinal);
        CommandResult none = await BreakwaterCommand.RunAsync(Settings("lab"), "pin", "remove", "warm/none");
        Assert.Equal(1, none.ExitCode);

        await RunAsync(["pin", "add", _tiny.Fqrn, "--all", "--name", "term"], "lab");
        await RunAsync(["pin", "remove", $"warm/{_tiny.Fqrn}/term"], "lab");
        await RunAsync(["seed", "remove", seed["seed:".Length..]], "lab");
        CommandResult served = await BreakwaterCommand.RunAsync(Settings("lab"), "seed", "remove", "none"); // was 69
        CommandResult closed = await BreakwaterCommand.RunAsync(Settings("export"), "seed", "remove", "none");
        Assert.Equal(new CommandResult(1, "", "There is no seed 'none'. See 'breakwater seed list'.\n"), served);
        Assert.Equal(served, closed);
        Assert.Equal("[]", (await RunAsync(["pin", "list", "--json"], "lab")).Output.Trim());
        Assert.Equal(403, await StatusAsync(lab));
    }

    // What is published here, or was brought to a lab without network, could not be exported while the service ran.
    [Theory]
    [InlineData("Proxy__Offline")]
    [InlineData("Repositories__tiny.example.org__Published")]
    public async Task Export_ThroughARunningServerThatAsksNobody_Works(string setting)
    {
        await RunAsync(["seed", "export", _tiny.Fqrn, "--all", "--from", _stratum1.Address, "-o", Bundle], "export");
        await using ProxyProcess lab = await ProxyProcess.StartAsync(Settings("lab"), CancellationToken.None);
        await RunAsync(["seed", "import", Bundle], "lab");
        Dictionary<string, string> settings = Settings("lab");
        settings["Proxy__Listen__0"] = lab.EndPoint.ToString();
        settings[setting] = "true";

        CommandResult result =
            await BreakwaterCommand.RunAsync(settings, "seed", "export", _tiny.Fqrn, "--all", "-o", _directory.Combine("again.tar"));

        Assert.True(result.ExitCode == 0, result.Error);
        await RunAsync(["seed", "verify", _directory.Combine("again.tar")], "lab");
    }

    private async Task<int> StatusAsync(ProxyProcess lab) =>
        (await RawHttpClient.GetOnceAsync(lab.EndPoint, _tiny.UrlPath(".cvmfspublished"))).Status;

    private async Task<CommandResult> RunAsync(string[] arguments, string store)
    {
        CommandResult result = await BreakwaterCommand.RunAsync(Settings(store), arguments);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', arguments)}: {result.Output}{result.Error}");
        return result;
    }

    private Dictionary<string, string> Settings(string store) => new()
    {
        ["Presets"] = "",
        ["Proxy__Offline"] = store == "lab" ? "true" : "false",
        ["Proxy__Listen__0"] = "127.0.0.1:0",
        ["Admin__Listen"] = "127.0.0.1:0",
        ["Store__Path"] = _directory.Combine(store),
    };
}

using System.Text.Json;
using System.Text.RegularExpressions;
using Breakwater.Proxy.Admin;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary>What commands show where there is nothing of it: neither 100 % nor savings.</summary>
public sealed partial class NothingTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _stratum1 = ScriptedUpstream.Start();
    private ProxyUnderTest _proxy = null!;

    public async Task InitializeAsync() => _proxy = await ProxyUnderTest.StartAsync(_stratum1);

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _stratum1.DisposeAsync();
    }

    // 2: it showed 100 %, as if all of something were here.
    [Fact]
    public async Task PinList_APinOfNothing_HasADash()
    {
        _proxy.Store.Pins.Put("warm/a.example.org/nothing", []);

        CommandResult result = await RunAsync("pin", "list");

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Matches(Row(), result.Output);
        Assert.DoesNotContain('%', result.Output);
    }

    // 18: what was refused, or nowhere to be had, counted as hits, and its error texts as bytes that were saved.
    [Fact]
    public async Task Status_AfterErrorsAlone_HasNoHitAndNothingSaved()
    {
        Assert.Equal(403, (await _proxy.GetAsync("/cvmfs/not.allowed.test/.cvmfspublished")).Status);
        Assert.Equal(404, (await _proxy.GetAsync("/cvmfs/a.example.org/.cvmfspublished")).Status);
        Assert.Equal(404, (await _proxy.GetAsync("/nothing")).Status);
        JsonElement status = default;
        await Waiting.UntilAsync(async () =>
        {
            status = JsonElement.Parse((await RunAsync("status", "--json")).Output);
            return status.GetProperty("requests").GetInt64() == 3; // an answer is counted when it has ended
        });

        Assert.Equal(0, status.GetProperty("bytesSaved").GetInt64());
        Assert.Equal(0, status.GetProperty("hitRatio").GetDouble()); // one was asked for
        Assert.DoesNotContain("100", (await RunAsync("status")).Output.Split('\n')[1], StringComparison.Ordinal);
    }

    private Task<CommandResult> RunAsync(params string[] arguments) => BreakwaterCommand.RunAsync(
        new Dictionary<string, string>
        {
            ["Admin__Listen"] = _proxy.Services.GetRequiredService<AdminServer>().Address!.Authority,
            ["Proxy__Offline"] = "true",
        },
        arguments);

    [GeneratedRegex(@"warm/a\.example\.org/nothing\W+–\W+0\W")]
    private static partial Regex Row();
}

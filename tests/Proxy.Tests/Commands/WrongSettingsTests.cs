using Breakwater.CacheStore.Pins;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Commands.Seed;
using Breakwater.Proxy.Commands.Store;
using Breakwater.Proxy.Seeding;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>
/// A mistake that was saved blinded the commands, though the server goes on with the settings that it had: a container's health check
/// (<c>breakwater status</c>) failed by a misspelt word.
/// </summary>
public sealed class WrongSettingsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("\"Prxoy\": {}, ", "Prxoy: there is no such setting")]
    [InlineData("\"Proxy\": { \"ConnectTimeout\": \"soon\" }, ", "Proxy:ConnectTimeout: ")]
    [InlineData("\"Repositories\": { \"*.x.org\": { \"Cluster\": \"none\" } }, ", "Repositories:*.x.org:Cluster: ")]
    [InlineData("\"Admin:Readers\": [ \"nowhere\" ], ", "Admin:Readers: ")]
    public async Task Commands_WithAMistakeInTheFile_SayItAndAskTheServer(string mistake, string said)
    {
        await using CannedAdmin admin = await StartAsync();
        admin.ChangeSettings(text => "{" + mistake + text[1..]);

        CommandRun pins = await admin.RunAsync(PinCommand.Create(), "list", "--json");
        CommandRun seeds = await admin.RunAsync(SeedCommand.Create(), "list", "--json");
        CommandRun store = await admin.RunAsync(StoreCommand.Create(), "evict", "--to", "0", "--json");
        CommandRun removed = await admin.RunAsync(PinCommand.Create(), "remove", "a");

        Assert.Equal((0, 0, 0, 1), (pins.ExitCode, seeds.ExitCode, store.ExitCode, removed.ExitCode));
        Assert.Equal(("[]", "[]", "{\"usedBytes\":7}"), (pins.Output.TrimEnd(), seeds.Output.TrimEnd(), store.Output.TrimEnd()));
        Assert.All((string[])[pins.Error, seeds.Error, store.Error, removed.Error], error =>
        {
            Assert.StartsWith("The settings on disk are wrong, and a running Breakwater goes on with those it had ('breakwater settings "
                + $"check {admin.SettingsPath}' shows all mistakes): {said}", error, StringComparison.Ordinal);
            Assert.Contains($"({admin.SettingsPath}, line 1, column ", error, StringComparison.Ordinal);
        });
        Assert.Single(pins.Error.TrimEnd('\n').Split('\n'));
    }

    [Theory]
    [InlineData("")]
    [InlineData(", \"Proxy\": { \"Name\": \"a\" \"Listen\": [] } }")]
    [InlineData(" \"Proxy\": {} }")]
    public async Task Status_OfAFileThatIsCutOff_IsAskedForByWhatStandsBefore(string rest)
    {
        await using CannedAdmin admin = await StartAsync();
        admin.ChangeSettings(text => text[..^1] + rest);

        CommandRun run = await admin.RunAsync(PinCommand.Create(), "list", "--json");

        Assert.Equal((0, "[]"), (run.ExitCode, run.Output.TrimEnd()));
        Assert.Contains("This is not JSON", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ \"Proxy\": { \"Name\": \"a\" \"Listen\": [] }, \"Admin\": { \"Listen\": \"127.0.0.1:1\" } }")]
    [InlineData("{ \"Admin\": { \"Listen\": \"127.0.0.1:1\" ")]
    [InlineData("{ \"Admin\": { \"Listen\": \"nowhere\" } }")]
    [InlineData("{ \"Admin\": { \"Lissten\": \"127.0.0.1:1\" } }")]
    [InlineData("{ \"Admni\": { \"Listen\": \"127.0.0.1:1\" } }")]
    [InlineData("{ \"Admin\": [ 1 ] }")]
    public async Task Command_WhereTheAdminPortCannotBeRead_NamesTheMistakesAndAsksNobody(string text)
    {
        File.WriteAllText(_directory.Combine("a.json"), text);

        CommandRun run = await CommandRun.OfAsync(StatusCommand.Create(), "--settings", _directory.Combine("a.json"));

        Assert.Equal((78, ""), (run.ExitCode, run.Output));
        Assert.StartsWith("The settings are wrong:", run.Error, StringComparison.Ordinal);
    }

    // What a server does not do is not done either by settings that are wrong: another quota would evict.
    [Fact]
    public async Task SeedList_WithAMistakeAndNoServer_IsRefusedAndOpensNoStore()
    {
        string path = _directory.Combine("a.json");
        File.WriteAllText(path, $$"""
            { "Prxoy": {}, "Store": { "Path": "{{_directory.Combine("store")}}" }, "Admin": { "Listen": "127.0.0.1:0" } }
            """);

        CommandRun run = await CommandRun.OfAsync(SeedCommand.Create(), "list", "--settings", path);

        Assert.Equal((78, ""), (run.ExitCode, run.Output));
        Assert.Contains("did you mean Proxy?", run.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_directory.Combine("store")));
    }

    [Fact]
    public async Task Doctor_WithAMistake_FailsItAndChecksWhatItCan()
    {
        string path = _directory.Combine("a.json");
        File.WriteAllText(path, $$"""
            { "Prxoy": {}, "Store": { "Path": "{{_directory.Combine("store")}}" }, "Admin": { "Listen": "127.0.0.1:0" } }
            """);

        CommandRun run = await CommandRun.OfAsync(DoctorCommand.Create(), "--settings", path);

        Assert.Equal(1, run.ExitCode);
        Assert.Matches("FAIL +settings +Prxoy: there is no such setting; did you mean Proxy", run.Output);
        Assert.Matches("look +running +No Breakwater runs on the store", run.Output);
        Assert.Matches(" open files ", run.Output);
        Assert.Matches(" disk ", run.Output);
        Assert.Matches(" keys ", run.Output);
        Assert.Matches("look +not checked +ports, Stratum 1s: the settings that name them are wrong", run.Output);
    }

    private static Task<CannedAdmin> StartAsync() => CannedAdmin.StartAsync(api =>
    {
        api.Read("pins", "All.", () => Array.Empty<PinSet>());
        api.Remove("pins", "Removes.", (string name) => new AdminProblem($"There is no pin '{name}'.").Result(404), typeof(PinSet));
        api.Read("seeds", "All.", () => Array.Empty<SeedRecord>());
        api.Action("store/evict", "Evicts.", () => new EvictResult(7));
    });
}

using System.CommandLine;
using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Commands.Cluster;
using Breakwater.Proxy.Commands.Seed;
using Breakwater.Proxy.Commands.Store;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary>Commands against a running Breakwater: what they say, to people and to programs, and how they end.</summary>
public sealed class AdminCommandTests : IAsyncLifetime
{
    private const string Name = "minios.example.org";

    private static readonly Command s_all = new RootCommand
    {
        StatusCommand.Create(), TopCommand.Create(TimeProvider.System), DoctorCommand.Create(), WarmCommand.Create(), PurgeCommand.Create(),
        ProfileCommand.Create(), PinCommand.Create(), SeedCommand.Create(), StoreCommand.Create(), ClusterCommand.Create(),
    };

    private readonly TemporaryDirectory _directory = new();
    private readonly ScriptedUpstream _stratum1 = ScriptedUpstream.Serving(FixtureRepository.MiniOs);
    private ProxyUnderTest _proxy = null!;
    private string _settings = "";

    public async Task InitializeAsync()
    {
        _stratum1.Put($"/cvmfs/{Name}/.cvmfspublished", FixtureRepository.ReadFixtureFile("minios/cvmfspublished.v1"));
        _proxy = await ProxyUnderTest.StartAsync(_stratum1);
        _settings = _directory.Combine("settings.json");
        await File.WriteAllTextAsync(_settings, JsonSerializer.Serialize(new
        {
            Store = new { _proxy.Services.GetRequiredService<BreakwaterSettings>().Store.Path },
            Admin = new { Listen = "127.0.0.1:0" },
            Proxy = new { Offline = true, Listen = (string[])["127.0.0.1:0"] },
        }));
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _stratum1.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Warm_OfWhatIsThereAndWhatIsNot_EndsAsItMust()
    {
        CommandResult right = await RunAsync("warm", Name, "--paths", "/cvm4/bin/busybox");
        CommandResult json = await RunAsync("warm", Name, "--paths", "/cvm4/bin/busybox", "--json");
        CommandResult lacking = await RunAsync("warm", Name, "--paths", "/cvm4/bin/busybox", "/no/such", "--name", "some");
        CommandResult allowed =
            await RunAsync("warm", Name, "--paths", "/cvm4/bin/busybox", "/no/such", "--name", "some", "--allow-missing");
        CommandResult list = await RunAsync("warm", Name, "--paths", _settings);
        CommandResult unknown = await RunAsync("warm", "a.invalid", "--all");

        Assert.Equal((0, 0, 1, 1, 69), (right.ExitCode, json.ExitCode, lacking.ExitCode, list.ExitCode, unknown.ExitCode));
        Assert.Matches(@"^\d+ of (\d+) objects: \d+ were here, \d+ fetched, 0 not to be had\n$", right.Output.Split('\n')[^3] + "\n");
        Assert.EndsWith($"breakwater pin remove warm/{Name}/newest\n", right.Output, StringComparison.Ordinal);
        Assert.True(JsonElement.Parse(json.Output).GetProperty("isDone").GetBoolean());
        Assert.Contains("/no/such matches no file (for all below a directory write /no/such/**)\n", lacking.Error,
            StringComparison.Ordinal);
        Assert.Contains("/no/such matches no file", allowed.Error, StringComparison.Ordinal);
        Assert.Contains($"{_settings} is a file here. A list is handed in by 'breakwater profile import {Name} NAME", list.Error,
            StringComparison.Ordinal);
        Assert.Contains("is not in Repositories", unknown.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pins_OfEveryOrigin_AreListedAndLetGoByWhomTheyAre()
    {
        ObjectKey key = new(new byte[20], DigestAlgorithm.Sha1, ObjectKind.Plain);
        foreach (string pin in (string[])[$"warm/{Name}/w", $"workingset/{Name}/0001", $"declared/{Name}/d", "seed:lab"])
        {
            _proxy.Store.Pins.Put(pin, [key]);
        }

        CommandResult list = await RunAsync("pin", "list");
        JsonElement json = JsonElement.Parse((await RunAsync("pin", "list", "--json")).Output);
        CommandResult[] removed =
        [
            await RunAsync("pin", "remove", $"warm/{Name}/w"), await RunAsync("pin", "remove", $"workingset/{Name}/0001"),
            await RunAsync("pin", "remove", $"declared/{Name}/d"), await RunAsync("pin", "remove", "seed:lab"),
            await RunAsync("pin", "remove", $"warm/{Name}/w"),
        ];

        string[] rows = [.. list.Output.Split('\n').Select(line =>
            string.Join(' ', line.Split([' ', '│', '|'], StringSplitOptions.RemoveEmptyEntries)))];
        Assert.Contains($"warm/{Name}/w 0.0 % 1 0 B warm, pin add", rows);
        Assert.Contains($"workingset/{Name}/0001 0.0 % 1 0 B the working sets, at each revision", rows);
        Assert.Contains($"declared/{Name}/d 0.0 % 1 0 B Pins in the settings", rows);
        Assert.Contains("seed:lab 0.0 % 1 0 B a seed", rows);
        Assert.Equal(4, json.GetArrayLength());
        Assert.Equal([0, 0, 69, 69, 1], removed.Select(one => one.ExitCode));
        Assert.Equal($"warm/{Name}/w is no pin any more: 1 objects.\n", removed[0].Output);
        Assert.StartsWith($"workingset/{Name}/0001 is no pin any more: 1 objects.\nThe repository's working sets are pinned again",
            removed[1].Output, StringComparison.Ordinal);
        Assert.Contains("Take it out of Pins: d", removed[2].Error, StringComparison.Ordinal);
        Assert.Contains("breakwater seed remove lab", removed[3].Error, StringComparison.Ordinal);
        Assert.Equal(["declared/" + Name + "/d", "seed:lab"], _proxy.Store.Pins.List().Select(pin => pin.Name).Order());
    }

    [Fact]
    public async Task Profiles_ImportedShownExportedAndRemoved_AreWhatWasGiven()
    {
        string list = _directory.Combine("list");
        await File.WriteAllTextAsync(list, "/cvm4/bin/busybox\n/no/such/file\n");

        CommandResult imported = await RunAsync("profile", "import", Name, "mine", list);
        CommandResult listed = await RunAsync("profile", "list");
        JsonElement listedJson = JsonElement.Parse((await RunAsync("profile", "list", "--json")).Output);
        CommandResult shown = await RunAsync("profile", "show", Name, "mine");
        JsonElement shownJson = JsonElement.Parse((await RunAsync("profile", "show", Name, "mine", "--json")).Output);
        CommandResult exported = await RunAsync("profile", "export", Name, "mine");
        CommandResult two = await RunAsync("profile", "import", Name, "mine", list, "--pin-file", "/x");
        CommandResult tagged = await RunAsync("profile", "import", Name, "tagged", list, "--tag", "v1", "--json");
        JsonElement removed = JsonElement.Parse((await RunAsync("profile", "remove", Name, "mine", "--json")).Output);
        CommandResult again = await RunAsync("profile", "remove", Name, "mine");
        CommandResult last = await RunAsync("profile", "remove", Name, "tagged");
        CommandResult[] gone = [again, await RunAsync("profile", "show", Name, "mine"), await RunAsync("profile", "export", Name, "mine")];

        Assert.Equal(0, imported.ExitCode);
        Assert.StartsWith($"mine of {Name}: 2 entries, ", imported.Output, StringComparison.Ordinal);
        Assert.Equal($"Note: /no/such/file matches nothing in {Name} now.\n", imported.Error);
        Assert.Matches($@"{Name}\W+mine\W+Given\W+0\W+2\W+newest revision\W+20", listed.Output);
        Assert.Equal(1, listedJson.GetArrayLength());
        Assert.Equal(["/cvm4/bin/busybox", "/no/such/file"], shown.Output.Split('\n').Take(2).Select(line => line[12..]));
        Assert.Equal(2, shownJson.GetProperty("entries").GetArrayLength());
        Assert.Equal("mine", JsonElement.Parse(exported.Output).GetProperty("name").GetString());
        Assert.Contains("\n  \"", exported.Output, StringComparison.Ordinal);
        Assert.Equal((64, 0, 0), (two.ExitCode, tagged.ExitCode, last.ExitCode));
        string none = $"'{Name}' has no working set 'mine'. See them with 'breakwater profile list'.\n";
        Assert.Equal([(1, "", none), (1, "", none), (1, "", none)], gone.Select(one => (one.ExitCode, one.Output, one.Error)));
        Assert.Equal("v1", JsonElement.Parse(tagged.Output).GetProperty("snapshots")[0].GetString());
        Assert.Equal("mine", removed.GetProperty("name").GetString());
        Assert.Equal("Removed.\n", last.Output);
    }

    [Fact]
    public async Task Purge_OfUrlsAndPrefixes_SaysHowManyWereForgotten()
    {
        foreach (string url in (string[])["http://a.test/1", "http://a.test/2", "http://b.test/1"])
        {
            _proxy.Store.Named.Heads.Put(url, "head"u8.ToArray());
        }

        CommandResult text = await RunAsync("purge", "http://a.test/*", "http://b.test/2");
        CommandResult json = await RunAsync("purge", "--json", "http://b.test/1", "http://b.test/1");
        CommandResult wrong = await RunAsync("purge", "no url");

        Assert.Equal("http://a.test/*: 2 forgotten\nhttp://b.test/2: 0 forgotten\n", text.Output);
        Assert.Equal("{\"url\":\"http://b.test/1\",\"purgedUrls\":1}\n{\"url\":\"http://b.test/1\",\"purgedUrls\":0}\n", json.Output);
        Assert.Equal((0, 0, 69), (text.ExitCode, json.ExitCode, wrong.ExitCode));
    }

    [Fact]
    public async Task Status_TopAndDoctor_ForPrograms_AreJson()
    {
        JsonElement status = JsonElement.Parse((await RunAsync("status", "--json")).Output);
        CommandResult text = await RunAsync("status");
        JsonElement top = JsonElement.Parse((await RunAsync("top", "--json")).Output);
        CommandResult doctor = await RunAsync("doctor", "--json");

        Assert.Equal("ready", status.GetProperty("health").GetProperty("status").GetString());
        Assert.Equal(0, text.ExitCode);
        Assert.Contains("health", text.Output, StringComparison.Ordinal);
        Assert.Equal(["rates", "status", "storm", "boots"], top.EnumerateObject().Select(property => property.Name));
        JsonElement running = JsonElement.Parse(doctor.Output).EnumerateArray()
            .Single(check => check.GetProperty("name").GetString() == "running");
        Assert.Equal("ok", running.GetProperty("level").GetString());
        Assert.StartsWith("ready, admin page on http://127.0.0.1:", running.GetProperty("found").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, doctor.ExitCode);
    }

    [Fact]
    public async Task Store_OfARunningServer_IsAskedOfIt()
    {
        await _proxy.GetAsync($"/cvmfs/{Name}/.cvmfspublished");

        CommandResult stats = await RunAsync("store", "stats");
        JsonElement json = JsonElement.Parse((await RunAsync("store", "stats", "--json")).Output);
        CommandResult verify = await RunAsync("store", "verify");
        CommandResult evict = await RunAsync("store", "evict", "--to", "0");
        CommandResult wrong = await RunAsync("store", "evict", "--to", "-1");
        CommandResult seeds = await RunAsync("seed", "list", "--json");

        Assert.Matches(@"^objects {14}\d+\ndocuments {12}\d+\nused of quota {8}", stats.Output);
        Assert.Matches("disk {17}takes writes\n", stats.Output);
        Assert.True(json.GetProperty("quotaBytes").GetInt64() > 0);
        Assert.Matches(@"^\d+ objects, .+ hashed; 0 damaged\.\n$", verify.Output);
        Assert.StartsWith("The store takes ", evict.Output, StringComparison.Ordinal);
        Assert.Equal((0, 0, 64), (verify.ExitCode, evict.ExitCode, wrong.ExitCode));
        Assert.Equal("[]\n", seeds.Output);
    }

    [Fact]
    public async Task Cluster_OfASingleNode_IsNone()
    {
        foreach (string command in (string[])["status", "leave", "join"])
        {
            CommandResult result = await RunAsync("cluster", command);

            Assert.Equal((1, "This Breakwater is a single node: there is nothing in Cluster:Nodes.\n"), (result.ExitCode, result.Error));
        }

        CommandResult all = await RunAsync("pin", "list", "--all-nodes");
        Assert.Equal(69, all.ExitCode);
        Assert.StartsWith("This Breakwater is no node of a site", all.Error, StringComparison.Ordinal);
    }

    private Task<CommandResult> RunAsync(params string[] words) =>
        CommandInProcess.RunAsync(s_all, [.. words, "--settings", _settings]);
}

using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Commands;
using Breakwater.Proxy.FunctionalTests.Seeding;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Cluster;

/// <summary>Commands with <c>--all-nodes</c>, and what <c>doctor</c> says of nodes that differ.</summary>
public sealed class AllNodesTests : IAsyncLifetime
{
    private const string Pin = "warm/synthetic.example.org/mine";

    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private SiteOfNodes _site = null!;

    public async Task InitializeAsync() => _site = await SiteOfNodes.StartAsync(3, [_upstream]);

    public async Task DisposeAsync()
    {
        await _site.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task PinRemove_AllNodes_IsDoneOnEach_AndDoctorSaysThatTheyAgree()
    {
        for (int node = 0; node < 3; node++)
        {
            _site[node].Store.Pins.Put(Pin, [new SyntheticObject(100).Key]);
        }

        CommandResult result = await RunAsync("pin", "remove", Pin, "--all-nodes");
        DoctorCheck check = Assert.Single(await DoctorAsync());

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.All(_site.Running, node => Assert.Empty(_site[node].Store.Pins.Names));
        Assert.Equal((CheckLevel.Ok, true), (check.Level, check.Found.StartsWith("3 agree", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task SeedRemove_AllNodesAndNoneHasIt_SaysSoOfEach()
    {
        CommandResult result = await RunAsync("seed", "remove", "none", "--all-nodes");

        Assert.Equal(1, result.ExitCode);
        Assert.Equal(4, result.Error.Split("There is no seed 'none'.").Length);
        Assert.DoesNotContain("Not done on", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SeedImport_WhileANodeIsAway_NamesIt_AndDoctorShowsWhatItLacks()
    {
        await using SeedBench bench = await SeedBench.StartAsync(FixtureRepository.Tiny);
        using var folder = new TemporaryDirectory();
        string file = folder.Combine("site.seed");
        await File.WriteAllBytesAsync(file, await bench.ExportAsync(SeedBench.All(FixtureRepository.Tiny.Fqrn)));
        await _site.StopAsync(2);

        CommandResult result = await RunAsync("seed", "import", file, "--name", "site", "--all-nodes");

        Assert.True(result.ExitCode == 69, result.Error);
        Assert.Contains("Not done on n2", result.Error, StringComparison.Ordinal);
        Assert.All(_site.Running, node =>
            Assert.Equal("site", Assert.Single(_site[node].Services.GetRequiredService<SeedRegistry>().List()).Name));
        Assert.Contains(await DoctorAsync(), check => check.Found.StartsWith("n2 is ", StringComparison.Ordinal));

        await _site.StartAsync(2);
        await _site.SeesAllAsync();
        Assert.Contains(await DoctorAsync(), check => check.Found.StartsWith("the seed 'site ", StringComparison.Ordinal)
            && check.Found.EndsWith("is not on n2", StringComparison.Ordinal));
        Assert.Equal(0, (await RunAsync("seed", "import", file, "--name", "site", "--all-nodes")).ExitCode);
        Assert.Equal(CheckLevel.Ok, Assert.Single(await DoctorAsync()).Level);
    }

    [Fact]
    public async Task OtherRequests_ForANode_AreNotHandedOn()
    {
        using var client = new AdminClient(_site[0].Services.GetRequiredService<BreakwaterSettings>(), "n1");
        Assert.Equal(System.Net.HttpStatusCode.NotFound,
            (await Assert.ThrowsAsync<AdminException>(() => client.PostAsync<object>("cluster/leave", null, default))).Status);
        using var nobody = new AdminClient(_site[0].Services.GetRequiredService<BreakwaterSettings>(), "n7");
        Assert.Contains("There is no other node 'n7'",
            (await Assert.ThrowsAsync<AdminException>(() => nobody.GetAsync<object>("status", default))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "status", true)]
    [InlineData("DELETE", "seeds/lab", true)]
    [InlineData("DELETE", "pins?name=warm%2Fa%2Fb", true)]
    [InlineData("DELETE", "seeds/", false)]
    [InlineData("DELETE", "seeds/a/b", false)]
    [InlineData("DELETE", "status", false)]
    [InlineData("POST", "cluster/leave", false)]
    [InlineData("POST", "cluster/at/n2/warm", false)]
    [InlineData("POST", "repositories/x.example.org/rollback?floor=1", false)]
    [InlineData("GET", "seeds/../../metrics", false)]
    [InlineData("GET", "status%2f..", false)]
    [InlineData("GET", "", false)]
    public void IsAllowed_IsWhatCommandsNeed(string method, string path, bool expected) =>
        Assert.Equal(expected, NodeAdmin.IsAllowed(method, path));

    [Fact]
    public void Compare_NodesThatDiffer_NamesEachDifference()
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        NodeFacts one = new("n0", "1.0", now, "default", ["https://a:1"], now.AddDays(100), ["aa"], "d1", [], ["warm/r/p"], ["lab 12"]);
        NodeFacts two = one with
        {
            Id = "n1",
            Version = "1.1",
            Nodes = ["https://b:1"],
            CertificateEnds = now.AddDays(-1),
            Authorities = ["bb"],
            Declared = "d2",
            Undone = ["Pins:x: no"],
            Pins = [],
            Seeds = [],
        };

        DoctorCheck[] checks = [.. DoctorCluster.Compare([(one, TimeSpan.Zero), (two, TimeSpan.FromDays(1))], now)];

        Assert.Equal(9, checks.Length);
        Assert.Equal("node n1", Assert.Single(checks, check => check.Level == CheckLevel.Failure).Name);
        Assert.Contains(checks, check => check.Found.StartsWith("its certificate ends", StringComparison.Ordinal));
        Assert.Contains(checks, check => check.Found == "its clock is 86400 s ahead of n0's");
        Assert.Contains(checks, check => check.Found == "the pin 'warm/r/p' is not on n1");
        Assert.Equal(CheckLevel.Ok, Assert.Single(DoctorCluster.Compare([(one, default), (one with { Id = "n1" }, default)], now)).Level);
    }

    private Task<IEnumerable<DoctorCheck>> DoctorAsync() =>
        DoctorCluster.CheckAsync(_site[0].Services.GetRequiredService<BreakwaterSettings>(), default);

    /// <summary>A command on the host of node 0.</summary>
    private Task<CommandResult> RunAsync(params string[] arguments)
    {
        BreakwaterSettings settings = _site[0].Services.GetRequiredService<BreakwaterSettings>();
        return BreakwaterCommand.RunAsync(
            new Dictionary<string, string>
            {
                ["Store__Path"] = settings.Store.Path!,
                ["Admin__Listen"] = settings.Admin.Listen,
                ["Proxy__Offline"] = "true",
            },
            arguments);
    }
}

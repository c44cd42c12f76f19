using System.Text.Json;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Commands.Cluster;
using Breakwater.Proxy.Snapshots;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>What commands make of the answers of a running server, those that a real one seldom gives among them.</summary>
public sealed class AdminAnswersTests
{
    private static readonly ClusterView s_site = new("n0", "lab", "1.0", true, 2,
        [
            new NodeRow("n0", "https://a:1", "alive", true, 0.25, null, null, null),
            new NodeRow(null, "https://b:1", "dead", false, 0, null, 61.6, "it does not answer"),
            new NodeRow("n2", "https://c:1", "alive", false, 0.75, null, 0.4, null),
        ],
        1234, 5_600_000, 12, 3456, 7, 8, 9);

    [Fact]
    public async Task Cluster_OfASite_IsATableAndWhetherAllIsWell()
    {
        ClusterView view = s_site;
        await using CannedAdmin admin = await CannedAdmin.StartAsync(api =>
        {
            api.Read("cluster", "All.", () => view);
            api.Action("cluster/leave", "Leaves.", () => view = view with { IsMember = false, Members = 1, Nodes = [s_site.Nodes[0]] });
            api.Action("cluster/join", "Joins.", () => view = view with { IsMember = true, Members = 2 });
        });

        CommandRun troubled = await admin.RunAsync(ClusterStatusCommand.Create());
        CommandRun left = await admin.RunAsync(ClusterStatusCommand.CreateLeave());
        CommandRun joined = await admin.RunAsync(ClusterStatusCommand.CreateJoin());
        CommandRun json = await admin.RunAsync(ClusterStatusCommand.Create(), "--json");

        Assert.Equal((1, 0, 0, 0), (troubled.ExitCode, left.ExitCode, joined.ExitCode, json.ExitCode));
        Assert.Equal(
            [
                "Node Address State Owns Answered",
                "n0 (this one) https://a:1 alive 25.0 % never",
                "? https://b:1 dead 0.0 % 62 s ago it does not answer",
                "n2 https://c:1 alive 75.0 % 0 s ago",
            ],
            Cells(troubled.Output));
        Assert.EndsWith("2 in the ring. 1,234 objects (5.6 MB) came from other nodes, 12 of them moved here; 3,456 requests served for "
            + "them. 8 strikes, 7 hedges, 9 refused at the node port.\n", troubled.Output, StringComparison.Ordinal);
        Assert.EndsWith("This node has left the ring or is about to stop.\n", left.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("has left", joined.Output, StringComparison.Ordinal);
        Assert.Equal(2, JsonElement.Parse(json.Output).GetProperty("members").GetInt32());
    }

    [Fact]
    public async Task Profile_WithAllThatASetMayHave_IsShownLineByLine()
    {
        await using CannedAdmin admin = await CannedAdmin.StartAsync(api =>
        {
            api.Read("working-sets/{repository}/{name}", "One.", (string repository, string name) => new
            {
                repository,
                name,
                entries = (object[])[new { path = "/bin/sh", offsetMs = 12.6 }, new { path = "", catalogOnly = true }, new { key = "ab" }],
                wholeDirectories = (string[])["/etc", "/lib"],
            });
            api.Read("working-sets", "All.", () => (WorkingSetView[])
                [new WorkingSetView("os.lab.example", "boot", WorkingSetSource.Learned, ["", "v1"], 3, 2, 1, DateTimeOffset.UnixEpoch)]);
            api.Upload("working-sets/{repository}/{name}", "Hands in.", (string repository, string name, string? tag, string? pinFile) =>
                new WorkingSetView(repository, $"{name} {tag} {pinFile}", WorkingSetSource.Given, [], 3, 2, 0, DateTimeOffset.UnixEpoch)
                {
                    SkippedLines = 4,
                    Unmatched = ["/x", "/y"],
                });
        });

        CommandRun shown = await admin.RunAsync(ProfileCommand.Create(), "show", "os.lab.example", "boot");
        CommandRun listed = await admin.RunAsync(ProfileCommand.Create(), "list");
        CommandRun given =
            await admin.RunAsync(ProfileCommand.Create(), "import", "os.lab.example", "mine", "--tag", "v&1", "--pin-file", "/pins");

        Assert.Equal((0, 0, 0), (shown.ExitCode, listed.ExitCode, given.ExitCode));
        Assert.Equal(
            "     13 ms  /bin/sh\n            /  (catalogs only)\n            ab\n            /etc/*  (belongs whole)\n"
            + "            /lib/*  (belongs whole)\n", shown.Output);
        Assert.Equal(["os.lab.example boot Learned 1 3 newest revision, v1 1970-01-01 00:00:00Z"], Cells(listed.Output)[1..]);
        Assert.Equal("mine v&1 /pins of os.lab.example: 3 entries, 2 whole directories. Fetch it with: breakwater warm os.lab.example "
            + "--working-set mine v&1 /pins\n", given.Output);
        Assert.Equal(
            ["Note: 4 lines of the trace are cut, as the client does at a byte beyond ASCII, and were skipped.",
                "Note: /x matches nothing in os.lab.example now.", "Note: /y matches nothing in os.lab.example now."],
            given.Error.TrimEnd('\n').Split('\n'));
    }

    [Theory]
    [InlineData("export")]
    [InlineData("export", "os.lab.example")]
    [InlineData("export", "os.lab.example", "boot", "--all")]
    [InlineData("import", "os.lab.example")]
    [InlineData("import", "os.lab.example", "mine")]
    [InlineData("import", "os.lab.example", "mine", "/dev/null", "--pin-file", "/x")]
    public async Task Profile_OfHalfACommandLine_SaysWhatToName(params string[] words)
    {
        await using CannedAdmin admin = await CannedAdmin.StartAsync(_ => { });

        CommandRun run = await admin.RunAsync(ProfileCommand.Create(), words);

        Assert.Equal((64, ""), (run.ExitCode, run.Output));
        Assert.StartsWith("Name a repository", run.Error, StringComparison.Ordinal);
    }

    /// <summary>A line for each change, none before anything is known; all must be here in the end.</summary>
    [Fact]
    public async Task Warm_ByItsReports_SaysHowFarItIsAndWhetherAllIsHere()
    {
        WarmReport done = new(5, 2, 3, 0, true, null);
        WarmReport last = done;
        await using CannedAdmin admin = await CannedAdmin.StartAsync(api => api.Action("warm", "Warms.", (WarmOrder order) =>
            Results.Json((WarmReport[])[new(0, 0, 0, 0, false, null), new(5, 2, 0, 0, false, null), new(5, 2, 0, 0, false, null), last],
                AdminServer.Json)));
        foreach ((WarmReport report, string more, int exitCode, string error) in ((WarmReport, string, int, string)[])
        [
            (done, "--all", 0, ""),
            (done with { Fetched = 2, Failed = 1 }, "--all", 1, ""),
            (done with { IsDone = false }, "--all", 1, ""),
            (done with { Problem = "It is full." }, "--all", 1, "It is full.\n"),
            (done with { Unmatched = ["/a*"] }, "--all", 0, ""), // nobody has named it
            (done with { Unmatched = ["/a*"] }, "--paths=/a*", 1, "/a* matches no file (for all below a directory write /a/**)\n"),
            (done with { Unmatched = ["/a/"] }, "--paths=/a/", 1, "/a/ matches no file (for all below a directory write /a/**)\n"),
        ])
        {
            last = report;
            CommandRun run = await admin.RunAsync(WarmCommand.Create(), "os.lab.example", more);
            CommandRun json = await admin.RunAsync(WarmCommand.Create(), "os.lab.example", more, "--json");

            Assert.Equal((exitCode, error, exitCode, error), (run.ExitCode, run.Error, json.ExitCode, json.Error));
            Assert.Equal(
                ["2 of 5 objects: 2 were here, 0 fetched, 0 not to be had",
                    $"5 of 5 objects: 2 were here, {last.Fetched} fetched, {last.Failed} not to be had"],
                run.Output.TrimEnd('\n').Split('\n'));
            Assert.Equal(last.IsDone, JsonElement.Parse(json.Output).GetProperty("isDone").GetBoolean());
        }
    }

    // 8: 'pin remove' with the name that 'pin add --name' was given found nothing, and nothing said what the pin is called.
    [Fact]
    public async Task PinAdd_Pinned_SaysItsFullNameAndHowToLetItGo()
    {
        await using CannedAdmin admin = await CannedAdmin.StartAsync(api => api.Action("warm", "Warms.", (WarmOrder order) =>
            Results.Json((WarmReport[])[new(1, 1, 0, 0, true, null) { Pin = "warm/os.lab.example/busy" }], AdminServer.Json)));

        CommandRun run = await admin.RunAsync(WarmCommand.Create("add", "Pins."), "os.lab.example", "--all", "--name", "busy");

        Assert.EndsWith("\nPinned as warm/os.lab.example/busy. It is let go by: breakwater pin remove warm/os.lab.example/busy\n",
            run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://s1.example.org/cvmfs/a.example.org/data/00/11", true)]
    [InlineData("http://www.example.org/a", false)]
    public async Task Purge_OfNothing_SaysWhereNothingNeedsIt(string url, bool says)
    {
        await using CannedAdmin admin =
            await CannedAdmin.StartAsync(api => api.Action("http/purge", "Purges.", (string url) => new PurgeResult(0)));

        CommandRun run = await admin.RunAsync(PurgeCommand.Create(), url);

        Assert.Equal((0, $"{url}: 0 forgotten\n"), (run.ExitCode, run.Output));
        Assert.Equal(says, run.Error.Contains("never changes", StringComparison.Ordinal));
    }

    /// <summary>What stands between the lines of a table, with one blank between columns.</summary>
    private static string[] Cells(string output) => [.. output.Split('\n')
        .Where(line => line.StartsWith('│') || line.StartsWith('|'))
        .Select(line => string.Join(' ', line.Split([' ', '│', '|'], StringSplitOptions.RemoveEmptyEntries)))];
}

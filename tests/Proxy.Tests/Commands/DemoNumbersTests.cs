using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>What the demo counts of a storm, and how it shows it.</summary>
public sealed class DemoNumbersTests
{
    private const string Root = "/cvmfs/" + DemoRepository.Fqrn + "/";

    private static readonly string s_file = Root + "data/01/" + new string('a', 38);
    private static readonly string s_other = Root + "data/02/" + new string('b', 38) + "P";
    private static readonly string s_catalog = Root + "data/03/" + new string('c', 38) + "C";

    private readonly BootPlan _plan =
        BootPlan.Create([DemoRepository.ManifestPath, s_catalog, s_file, s_other, s_file], Encoding.ASCII.GetBytes);

    [Fact]
    public void Plan_OfARecordedBoot_MountsBeforeItReads()
    {
        Assert.Equal([DemoRepository.ManifestPath, s_catalog], _plan.Mount.Select(request => request.Path));
        Assert.Equal([s_file, s_other, s_file], _plan.Files.Select(request => request.Path));
        Assert.Equal([0, 1, 2, 3, 4], _plan.Mount.Concat(_plan.Files).Select(request => request.Index));
        Assert.Equal((5, 3), (_plan.Count, _plan.Objects.Count));
        Assert.Equal([false, true, true, true, true], _plan.Mount.Concat(_plan.Files).Select(request => request.IsObject));
        Assert.Equal(ObjectKind.Chunk, _plan.Files[1].Key.Kind);
        DemoFailedException lacking = Assert.Throws<DemoFailedException>(() => BootPlan.Create([s_file], _ => null));
        Assert.Contains(s_file, lacking.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("data/01/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true)]
    [InlineData("data/01aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    [InlineData("data/01/", false)]
    [InlineData("data/01/a", false)]
    [InlineData(".cvmfspublished", false)]
    [InlineData("atad/01/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    public void Path_OfAnObject_IsOneOfData(string path, bool isObject)
    {
        Assert.Equal(isObject, DemoRepository.TryParseObject(Root + path, out ObjectKey key));
        Assert.Equal(isObject, key == ObjectKey.Parse("01" + new string('a', 38)));
    }

    [Fact]
    public void Request_OnTheWire_NamesTheServerAndAsksPastCachesOnDemand()
    {
        (int Host, bool NoCache)[] asked = [(0, false), (1, false), (0, true), (1, true)];
        string[] wires = [.. asked.Select(one => Encoding.ASCII.GetString(_plan.Files[0].Wire(one.Host, one.NoCache).Span))];

        Assert.All(wires.Index(), wire => Assert.StartsWith(
            $"GET http://s{1 + (wire.Index % 2)}.example.org{s_file} HTTP/1.1\r\n", wire.Item, StringComparison.Ordinal));
        Assert.Equal([false, false, true, true], wires.Select(wire => wire.Contains("no-cache", StringComparison.OrdinalIgnoreCase)));
    }

    [Fact]
    public void Phase_AddedUp_HasEachCount()
    {
        var tally = new PhaseTally(_plan);
        foreach (BootRequest request in _plan.Mount.Append(_plan.Files[0]).Append(_plan.Files[2]).Append(_plan.Files[0]))
        {
            tally.Asked(request);
        }

        tally.Bytes(1_500);
        tally.Bytes(500);
        tally.FirstByte(TimeSpan.FromMilliseconds(7.04));
        tally.FirstByte(TimeSpan.FromMilliseconds(3));
        tally.Booted(TimeSpan.FromMilliseconds(20));
        tally.Booted(TimeSpan.FromMilliseconds(10.04));
        tally.WrongBody("one");
        tally.Failed("two");
        tally.Failed("three");
        for (int i = 0; i < 4; i++)
        {
            tally.Exiled("more");
        }

        var result = PhaseResult.From("cold", tally, 1);

        Assert.Equal(("cold", 2, 5), (result.Name, result.Boots, result.Requests));
        Assert.Equal((2, 1), (result.DistinctObjects, result.UpstreamObjectRequests));
        Assert.Equal((0.75, 10, 20, 20, 7), (result.HitRatio, result.BootP50Ms, result.BootP99Ms, result.BootMaxMs, result.FirstByteMaxMs));
        Assert.Equal((1, 2, 4, 2_000), (result.WrongBodies, result.Errors, result.Exiles, result.BytesReceived));
        Assert.Equal(["one", "two", "three", "more", "more"], tally.Messages);     // the first five
        Assert.Equal(0, PhaseResult.From("none", new PhaseTally(_plan), 1).HitRatio);
    }

    /// <summary>Five seconds are a client's patience, and each object comes from the Stratum 1 once.</summary>
    [Fact]
    public void Phase_ThatIsNotAsItMustBe_SaysInWhat()
    {
        PhaseResult phase = PhaseResult.From("cold", new PhaseTally(_plan), 3) with { Boots = 2, FirstByteMaxMs = 4999.9 };

        Assert.Empty(DemoRun.ProblemsOf(phase, 2, 3, ["a"]));
        Assert.Equal(["cold: a client waited 5000 ms for a first byte; 5,000 ms are its patience."],
            DemoRun.ProblemsOf(phase with { FirstByteMaxMs = 5000 }, 2, 3, []));
        Assert.Equal(["cold: 2 of 3 VMs booted."], DemoRun.ProblemsOf(phase, 3, 3, []));
        Assert.Equal(["cold: 3 object requests reached the Stratum 1, 2 were needed."], DemoRun.ProblemsOf(phase, 2, 2, []));
        Assert.EndsWith(" 4 were needed. 2 objects were fetched more than once, among them a.",
            Assert.Single(DemoRun.ProblemsOf(phase, 2, 4, ["a", "b"])), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, 30, 100)]
    [InlineData(false, 400, 800)]
    [InlineData(true, 900, 1000)]
    public void Report_ForPeople_HasAColumnAPhaseAndWhatToTryNext(bool isOk, double rtt, int next)
    {
        var tally = new PhaseTally(_plan);
        tally.Asked(_plan.Files[0]);
        PhaseResult phase = PhaseResult.From("cold", tally, 0) with
        {
            PrefetchRequests = 13,
            Boots = 1234,
            BytesReceived = 12_345_678_000_000,
        };
        using var console = new CapturedConsole();

        new DemoView(json: true).Show(new DemoReport(3, rtt, isOk, isOk ? [] : ["It is [so]."], [phase, phase with { Name = "warm" }]));

        JsonElement json = JsonElement.Parse(console.Output);
        Assert.Equal((3, isOk), (json.GetProperty("vms").GetInt32(), json.GetProperty("ok").GetBoolean()));
        Assert.Equal(["cold", "warm"], json.GetProperty("phases").EnumerateArray().Select(one => one.GetProperty("name").GetString()));
        string error = Regex.Replace(console.Error, @"\x1b\[[0-9;]*m", "");
        string[] lines = [.. error.Split('\n').Select(line =>
            string.Join(' ', line.Split([' ', '│', '|'], StringSplitOptions.RemoveEmptyEntries)))];
        foreach (string line in (string[])
        [
            "cold warm", "VMs booted 1,234 1,234", "requests 1 1", "MB to the VMs 12,345,678 12,345,678", "distinct objects asked for 1 1",
            "object requests to the Stratum 1 0 0", "fetched ahead of the boots 13 13", "hit ratio 1.0000 1.0000",
            "boot time, median ms 0 0", "boot time, 99 % ms 0 0", "boot time, longest ms 0 0", "longest wait for a first byte, ms 0 0",
            "wrong bodies 0 0", "errors 0 0", "exiles (VMs lost to DIRECT) 0 0", $"breakwater demo --vms 6 --rtt {next}",
        ])
        {
            Assert.Contains(line, lines);
        }

        Assert.Equal(isOk, error.Contains("All as it must be:", StringComparison.Ordinal));
        Assert.Equal(!isOk, lines.Contains("Not as it must be:") && lines.Contains("It is [so]."));
    }
}

using Breakwater.CacheStore.Quotas;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Holdings;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Upstreams;
using Spectre.Console;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>What <c>status</c> and <c>top</c> show, word by word.</summary>
public sealed class StatusScreenTests
{
    private static readonly ServerStatus s_idle = new()
    {
        Version = "9.9",
        Time = DateTimeOffset.UnixEpoch,
        UptimeSeconds = 59.9,
        Health = new HealthReport(HealthLevel.Ready, []),
        Storm = StormView.None,
        StorePath = "/store",
        StoreDiskFreeBytes = -1,
        WorkingSetBytes = 999,
        Reads = [],
        Actions = [],
    };

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(50, "50 B")]
    [InlineData(999, "999 B")]
    [InlineData(1_000, "1.0 KB")]
    [InlineData(99_940, "99.9 KB")]
    [InlineData(100_000, "100 KB")]
    [InlineData(1_000_000, "1.0 MB")]
    [InlineData(2.5e9, "2.5 GB")]
    [InlineData(1e12, "1.0 TB")]
    [InlineData(1e15, "1.0 PB")]
    [InlineData(1e18, "1000 PB")]
    public void Size_OfBytes_IsInPowersOfAThousand(double bytes, string text) => Assert.Equal(text, StatusCommand.Size(bytes));

    [Theory]
    [InlineData(null, "–")]
    [InlineData(0d, "0.0 %")]
    [InlineData(0.1234, "12.3 %")]
    [InlineData(1d, "100.0 %")]
    public void Share_OfNothing_IsADash(double? share, string text) => Assert.Equal(text, StatusCommand.Share(share));

    [Fact]
    public void Screen_OfAnIdleServer_HasNoMoreThanItMust()
    {
        string[] lines = Lines(StatusCommand.Screen(s_idle));

        Assert.Equal(
            [
                "health ready version 9.9, up 00:00:59",
                "hits nobody has asked for anything yet",
                "requests 0, 0 B sent (memory 0 B, disk 0 B), 0 B from Stratum 1s",
                "fetches 0 under way for 0 requests, 0 in line",
                "boots 0 booting, 0 done, 0 stopped half-way",
                "store /store, ? free on its disk; process memory 999 B",
            ],
            lines);
        Assert.Contains("store /store, 0 B free on its disk; process memory 999 B",
            Lines(StatusCommand.Screen(s_idle with { StoreDiskFreeBytes = 0 })));
    }

    [Fact]
    public void Screen_OfABusySite_HasAllThatIsKnown()
    {
        ServerStatus status = s_idle with
        {
            UptimeSeconds = 93_784.9,
            Health = new HealthReport(HealthLevel.Degraded, [new HealthFinding("some-worry", HealthLevel.Degraded, "Look [here].")]),
            HitRatio = 0.5,
            ByteHitRatio = 0.25,
            Requests = 12_345,
            BytesSent = 2_500_000,
            BytesSaved = 1_500_000,
            UpstreamBytes = 1_000_000,
            MemoryBytes = 2_000,
            DiskBytes = 3_000,
            Results = [new ResultStatus("refused", 1_007, 0), new ResultStatus("failed", 0, 0), new ResultStatus("hit", 9, 0)],
            Fetches = 3,
            FetchFollowers = 4,
            FetchesWaiting = 5,
            Storm = new StormView(1, 2, 3, null, null, 1_234.4, 5_678.6),
            Upstreams =
            [
                new UpstreamStatus("egi", "a", "a:80", Stratum1State.Answers, true),
                new UpstreamStatus("egi", "b", "b:80", Stratum1State.Failing, true),
                new UpstreamStatus("osg", "c", "c:80", Stratum1State.AskedLast, true),
                new UpstreamStatus("osg", "d", "d:80", Stratum1State.NotAskedYet, true),
                new UpstreamStatus("idle", "e", "e:80", Stratum1State.NotAskedYet, false),
                new UpstreamStatus("idle", "f", "f:80", Stratum1State.NotAskedYet, false),
            ],
            StoreDiskFreeBytes = 20_000_000_000,
            WorkingSetBytes = 123_000_000,
            Bootable = ["It boots."],
            Unverified = ["u.example.org", "v.example.org"],
            Declared =
            [
                new Declared("Pins:a", DeclaredState.Done, null),
                new Declared("Pins:b", DeclaredState.UnderWay, null),
                new Declared("Pins:c", DeclaredState.Waits, "it waits"),
                new Declared("Pins:d", DeclaredState.Failed, "a finding"),
            ],
            Nodes = "3 of 3",
            UpstreamLimit = 1_000_000,
            Shares = [new ShareUse("*.a", 2_000, 1_000), new ShareUse("*.b", 5, null)],
        };

        Assert.Equal(
            [
                "health degraded version 9.9, up 1.02:03:04",
                "some-worry Look [here].",
                "hits 50.0 % of requests, 25.0 % of bytes; 1.5 MB upstream bytes saved",
                "requests 12,345, 2.5 MB sent (memory 2.0 KB, disk 3.0 KB), 1.0 MB from Stratum 1s (limit 1.0 MB/s); 1,007 refused",
                "fetches 3 under way for 4 requests, 5 in line",
                "boots 1 booting, 2 done, 3 stopped half-way; median 1,234 ms, slowest 5,679 ms",
                "nodes 3 of 3",
                "store /store, 20.0 GB free on its disk; process memory 123 MB",
                "quota *.a: 2.0 KB of 1.0 KB",
                "seed It boots.",
                "declared Pins:a: as declared",
                "declared Pins:b: under way",
                "declared Pins:c: it waits",
                "unverified u.example.org, v.example.org: no master key in Repositories:KeysDirectory",
                "egi a:80 b:80 (failed last)",
                "osg c:80 (asked last) d:80 (not asked yet)",
                "not asked yet idle",
            ],
            Lines(StatusCommand.Screen(status)));
    }

    [Fact]
    public void Rates_BetweenTwoLooks_AreASecondsWorth()
    {
        ServerStatus before = s_idle with { UptimeSeconds = 10, Requests = 100, BytesSent = 1_000, UpstreamBytes = 50 };
        ServerStatus now = s_idle with { UptimeSeconds = 12, Requests = 110, BytesSent = 5_000, UpstreamBytes = 80 };

        Assert.Equal(new TopRates(5, 2_000, 15), TopRates.Between(before, now));
        Assert.Equal(new TopRates(100, 40_000, 300), TopRates.Between(before, now with { UptimeSeconds = 10 }));     // at once: a tenth
    }

    [Fact]
    public void Boots_OfAStorm_AreARowEach()
    {
        DateTimeOffset began = DateTimeOffset.UnixEpoch.AddDays(20_000);
        var storm = new StormView(1, 1, 1, began, null, null, null) { DurationMs = 48_000 };
        BootView Boot(int id, BootState state, string bar) =>
            new(id, $"10.0.0.{id}", "a.example.org", began, 24_000, 7 * id, 1, 1, state, bar, 0, 0, 0, 0);

        string[] lines = Lines(TopBoots.Screen(new BootPage(storm, 1234, 0,
            [Boot(1, BootState.Stopped, "m1000"), Boot(2, BootState.Booting, "w1000"), Boot(3, BootState.Done, "u500x500")])));

        Assert.Equal("boots (1234) one line, one clock: 48.0 s requests repository", lines[0]);
        Assert.Equal(
            [
                $"10.0.0.1 {new string('█', 24)} stopped 7 a.example.org",
                $"10.0.0.2 {new string('░', 24)} booting 14 a.example.org",
                $"10.0.0.3 {new string('█', 24)} 24.0 s 21 a.example.org",
            ],
            lines[1..]);
    }

    /// <summary>The lines, with one blank for the many between columns.</summary>
    private static string[] Lines(Table table) =>
        [.. Output.Plain(table).TrimEnd('\n').Split('\n').Select(line =>
            string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];
}

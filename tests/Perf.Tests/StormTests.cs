using System.Net;
using Breakwater.Laboratory.Client;
using Breakwater.Laboratory.Stratum1;
using Breakwater.Storm.Client;
using Breakwater.Storm.Vms;

namespace Breakwater.Perf.Tests;

/// <summary>The generator against the emulated Stratum 1, over real sockets: the counts of both have to agree exactly.</summary>
public sealed class StormTests
{
    private static readonly IReadOnlyList<ServedObject> s_objects = ObjectSet.Boot(40, 12_000_000, 1, seed: 3);

    private static StormOptions Options(UpstreamServer upstream, int vms, params IPEndPoint?[] proxies) => new()
    {
        Vms = vms,
        Trace = BootTrace.Of([.. s_objects.Select(o => o.Path)]),
        Hosts = [new IPEndPoint(IPAddress.Loopback, upstream.Port)],
        Proxies = proxies.Length == 0 ? [null] : proxies,
        Mode = BodyMode.Check,
        TimeLimit = TimeSpan.FromSeconds(60),
    };

    [Theory]
    [InlineData(1, 1, BodyMode.Check)]
    [InlineData(16, 1, BodyMode.Check)]
    [InlineData(4, 2, BodyMode.Drop)]
    internal void Storm_AgainstStratum1_CountsEveryRequestAndByte(int connections, int threads, BodyMode mode)
    {
        using var upstream = new UpstreamServer(s_objects, new UpstreamOptions());
        StormResult result = StormRun.Run(Options(upstream, 50) with { ConnectionsPerVm = connections, Threads = threads, Mode = mode });
        UpstreamCounters counters = upstream.Counters();

        Assert.Equal(50, result.Finished);
        Assert.Equal(50 * 40, result.Requests);
        Assert.Equal(50 * s_objects.Sum(o => (long)o.Body.Length), result.BodyBytes);
        Assert.Equal((0, 0, 0L, 0L), (result.GaveUp, result.Exiles, result.WrongBodies, result.Retries));
        Assert.Equal(50, result.FinishedTimeline[^1]);
        Assert.Equal(result.Requests, counters.ObjectRequests);
        Assert.Equal(result.BodyBytes, counters.BodyBytes);
        Assert.Equal(40, counters.DistinctObjects);
        Assert.Equal(0, counters.Unknown);
    }

    [Fact]
    public void Storm_WrongByteBetweenProxyAndClient_IsCaughtAndAskedForAgain()
    {
        using var upstream = new UpstreamServer(s_objects, new UpstreamOptions());
        using var relay = new FlippingRelay(new IPEndPoint(IPAddress.Loopback, upstream.Port), flipAt: 60_000);
        StormResult result = StormRun.Run(Options(upstream, 1, relay.EndPoint));

        Assert.True(relay.HasFlipped);
        Assert.Equal(1, result.WrongBodies);
        Assert.Equal(1, result.Retries);
        Assert.Equal(1, result.Finished);
        Assert.Equal(41, upstream.Counters().ObjectRequests);
    }

    [Fact]
    public void Storm_WrongByteInDropMode_GoesUnseen()
    {
        using var upstream = new UpstreamServer(s_objects, new UpstreamOptions());
        using var relay = new FlippingRelay(new IPEndPoint(IPAddress.Loopback, upstream.Port), flipAt: 60_000);
        StormResult result = StormRun.Run(Options(upstream, 1, relay.EndPoint) with { Mode = BodyMode.Drop });

        Assert.True(relay.HasFlipped);
        Assert.Equal((1, 0L), (result.Finished, result.WrongBodies));
    }

    [Theory]
    [InlineData(Fault.Flip, Failure.WrongBody)]
    [InlineData(Fault.Double, Failure.WrongBody)]
    [InlineData(Fault.Truncate, Failure.Broken)]
    [InlineData(Fault.Reset, Failure.Broken)]
    [InlineData(Fault.NotFound, Failure.ServerError)]
    internal void Storm_FaultyStratum1_TellsTheFaultsApartAndGivesUp(Fault fault, Failure expected)
    {
        var faults = new FaultPlan(1, new Dictionary<Fault, double> { [fault] = 1 });
        using var upstream = new UpstreamServer(s_objects, new UpstreamOptions { Faults = faults });
        StormResult result = StormRun.Run(Options(upstream, 1));

        Assert.Equal((0, 1), (result.Finished, result.GaveUp));
        Assert.True(result.Failures[expected.ToString()] >= 1);
        Assert.Equal(upstream.Counters().Requests, upstream.Counters().Faults[fault.ToString()]);
    }

    [Fact]
    public void Storm_StalledAnswer_ExilesTheVm()
    {
        var faults = new FaultPlan(1, new Dictionary<Fault, double> { [Fault.Stall] = 1 });
        using var proxy = new UpstreamServer(s_objects, new UpstreamOptions { Faults = faults });
        using var upstream = new UpstreamServer(s_objects, new UpstreamOptions());
        StormResult result = StormRun.Run(Options(upstream, 1, new IPEndPoint(IPAddress.Loopback, proxy.Port), null));

        Assert.Equal((1, 1), (result.Finished, result.Exiles));
        Assert.Equal(1, result.Failures[nameof(Failure.TooSlow)]);
        Assert.Equal(40, upstream.Counters().ObjectRequests);
    }

    [Fact]
    public void Storm_ProxyRefusesConnections_ExilesEveryVmOnce()
    {
        using var upstream = new UpstreamServer(s_objects, new UpstreamOptions());
        StormResult result = StormRun.Run(Options(upstream, 20, new IPEndPoint(IPAddress.Loopback, 1), null) with { ConnectionsPerVm = 8 });

        Assert.Equal((20, 20), (result.Finished, result.Exiles));
        Assert.Equal(20 * 40, upstream.Counters().ObjectRequests);
    }

    [Fact]
    public void Storm_NextHost_IsAskedAfterA404()
    {
        var faults = new FaultPlan(1, new Dictionary<Fault, double> { [Fault.NotFound] = 1 });
        using var empty = new UpstreamServer(s_objects, new UpstreamOptions { Faults = faults });
        using var upstream = new UpstreamServer(s_objects, new UpstreamOptions());
        StormResult result = StormRun.Run(Options(upstream, 1) with
        {
            Hosts = [new IPEndPoint(IPAddress.Loopback, empty.Port), new IPEndPoint(IPAddress.Loopback, upstream.Port)],
        });

        Assert.Equal(1, result.Finished);
        Assert.Equal(1, empty.Counters().Requests);
        Assert.Equal(40, upstream.Counters().Requests);
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v2")]
    public void Storm_RecordedBoot_FinishesWithExactCounts(string revision)
    {
        string fixtures = Path.Combine(AppContext.BaseDirectory, "fixtures");
        BootTrace trace = BootTrace.Read(Path.Combine(fixtures, "minios", $"boot-requests.{revision}.txt"));
        byte[] manifest = File.ReadAllBytes(Path.Combine(fixtures, "minios", $"cvmfspublished.{revision}"));
        using var upstream = new UpstreamServer(
            RepositoryTree.Read(Path.Combine(fixtures, "minios.example.org.tar"))
                .Append(new ServedObject("/cvmfs/minios.example.org/.cvmfspublished", manifest)),
            new UpstreamOptions());
        StormResult result = StormRun.Run(Options(upstream, 20) with { Trace = trace, ConnectionsPerVm = 4 });

        Assert.Equal(5, trace.MountLength);
        Assert.Equal((20, 0L), (result.Finished, result.WrongBodies));
        Assert.Equal(20L * trace.Paths.Count, result.Requests);
        Assert.Equal(result.Requests, upstream.Counters().Requests);
        Assert.Equal(0, upstream.Counters().Unknown);
    }

    [Fact]
    public void Stratum1_DelayAndRate_HoldForEveryAnswer()
    {
        ServedObject one = ObjectSet.Fixed(1, 100_000, 1)[0];
        using var upstream =
            new UpstreamServer([one], new UpstreamOptions { Delay = TimeSpan.FromMilliseconds(50), BytesPerSecond = 1_000_000 });
        StormResult result = StormRun.Run(Options(upstream, 10) with { Trace = BootTrace.Of([one.Path]) });

        // Lower bounds only: they hold on a slow machine too.
        Assert.Equal(10, result.Finished);
        Assert.True(result.FirstByte.P50Ms >= 49, $"{result.FirstByte}");
        Assert.True(result.Boot.P50Ms >= 145, $"{result.Boot}");
        Assert.Equal(10, upstream.Counters().MaxConcurrent);
    }
}

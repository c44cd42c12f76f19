using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Breakwater.CacheStore;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Observability.Squid;
using Breakwater.Proxy.Outcomes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Observability;

/// <summary>Ten minutes of a proxy on squid's pages, line by line; a star is what differs from run to run.</summary>
public sealed class SquidPagesTests : IAsyncLifetime
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly RequestRecorder _recorder;
    private readonly ProxyCounters _counters;
    private readonly SquidHistory _history;
    private readonly SquidPages _pages;

    public SquidPagesTests()
    {
        IMeterFactory meters = _services.GetRequiredService<IMeterFactory>();
        (_recorder, _counters) = (new RequestRecorder(meters, _time), new ProxyCounters(meters));
        _history = new SquidHistory(_recorder, _counters, _time);
        var clients = new ClientLimits(0, 0, _time);
        clients.Seen.Note(ClientKey.Of(IPAddress.Parse("10.0.0.1")));
        clients.Seen.Note(ClientKey.Of(IPAddress.Parse("10.0.0.2")));
        var store = new StoreStatistics { Objects = 1024, UsedBytes = 3L << 30, QuotaBytes = 4L << 30 };
        _pages = new SquidPages(_history, () => store, clients, _time);
    }

    /// <summary>At noon, then for nine minutes nothing, then at ten past.</summary>
    public async Task InitializeAsync()
    {
        await _history.StartAsync(default);
        Record(RequestResult.Hit, 102_400, ByteSource.Memory);
        Record(RequestResult.Hit, 204_800, ByteSource.Disk);
        Record(RequestResult.Miss, 409_600, ByteSource.Upstream);
        Record(RequestResult.Failed, 0, ByteSource.None);
        Ask(3, 1, 1_024_000);
        for (int minute = 0; minute < 10; minute++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        Record(RequestResult.Hit, 51_200, ByteSource.Disk);
        Record(RequestResult.Miss, 102_400, ByteSource.Upstream);
        Record(RequestResult.Failed, 0, ByteSource.None);
        Record(RequestResult.Failed, 0, ByteSource.None);
        Ask(2, 2, 512_000);
    }

    public Task DisposeAsync()
    {
        _history.Dispose();
        _counters.Dispose();
        _services.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public void Menu_OfAllPages_IsInSquidsColumns() => AssertPage("menu", """
         menu                  	Cache Manager Menu              	public
         info                  	General Runtime Information     	public
         counters              	Traffic and Resource Counters   	public
         utilization           	Cache Utilization               	public
         service_times         	Service Times (Percentiles)     	public
        """);

    [Fact]
    public void Info_IsWhatTenMinutesBrought() => AssertPage("info", """
        Squid Object Cache: Version *-breakwater
        Build Info: Breakwater
        Service Name: squid
        Start Time:	Mon, 01 Jun 2026 12:00:00 GMT
        Current Time:	Mon, 01 Jun 2026 12:10:00 GMT
        Connection information for squid:
        	Number of clients accessing cache:	2
        	Number of HTTP requests received:	8
        	Request failure ratio:	 0.38
        	Average HTTP requests per minute since start:	  0.8
        Cache information for squid:
        	Hits as % of all requests:	5min: 25.0%, 60min: 37.5%
        	Hits as % of bytes sent:	5min: 33.3%, 60min: 41.2%
        	Memory hits as % of hit requests:	5min: 0.0%, 60min: 28.6%
        	Disk hits as % of hit requests:	5min: 100.0%, 60min: 71.4%
        	Storage Swap size:	3145728 KB
        	Storage Swap capacity:	75.0% used, 25.0% free
        	Storage Mem size:	* KB
        	Mean Object Size:	3072.00 KB
        Median Service Times (seconds)  5 min    60 min:
        	HTTP Requests (All):   * *
        	Cache Misses:          * *
        	Cache Hits:            * *
        	Near Hits:             0.00000  0.00000
        	Not-Modified Replies:  0.00000  0.00000
        Resource usage for squid:
        	UP Time:	600.000 seconds
        	CPU Time:	* seconds
        	CPU Usage:	*%
        	CPU Usage, 5 minute avg:	*%
        	CPU Usage, 60 minute avg:	*%
        	Maximum Resident Size: * KB
        File descriptor usage for squid:
        	Maximum number of file descriptors:   *
        	Number of file desc currently in use: *
        	Available number of file descriptors: *
        Internal Data Structures:
        	  1024 StoreEntries
        	  1024 on-disk objects
        """);

    [Fact]
    public void Counters_AreThoseSinceTheStart() => AssertPage("counters", Totals);

    [Fact]
    public void Utilization_IsBySecondsOfTheSpan() => AssertPage("utilization", $"""
        Cache Utilisation:

        Last 5 minutes:
        sample_start_time = 1780315500.000000 (Mon, 01 Jun 2026 12:05:00 GMT)
        sample_end_time = 1780315800.000000 (Mon, 01 Jun 2026 12:10:00 GMT)
        client_http.requests = 0.013333/sec
        client_http.hits = 0.003333/sec
        client_http.errors = 0.006667/sec
        client_http.kbytes_out = 0.500000/sec
        server.all.requests = 0.006667/sec
        server.all.errors = 0.006667/sec
        server.all.kbytes_in = 1.666667/sec
        server.http.requests = 0.006667/sec
        server.http.errors = 0.006667/sec
        server.http.kbytes_in = 1.666667/sec
        cpu_time = * seconds
        wall_time = 300.000000 seconds
        cpu_usage = *%

        Last 15 minutes:
        {SinceNoon}
        Last hour:
        {SinceNoon}
        Totals since cache startup:
        {Totals}
        """);

    [Fact]
    public void Utilization_OfTheProcessor_IsItsTimeOfTheSpans()
    {
        string[] lines = Page("utilization").Split("Totals")[0].Split('\n');
        double[] cpu = Values("cpu_time"), wall = Values("wall_time"), usage = Values("cpu_usage");

        Assert.Equal(3, usage.Length);
        Assert.All(usage.Index(), one => Assert.Equal(100 * cpu[one.Index] / wall[one.Index], one.Item, tolerance: 0.000_01));

        double[] Values(string name) => [.. lines
            .Where(line => line.StartsWith(name, StringComparison.Ordinal))
            .Select(line => double.Parse(line.Split(' ')[2].TrimEnd('%'), CultureInfo.InvariantCulture))];
    }

    [Fact]
    public void ServiceTimes_OfEachKind_AreInNineteenSteps()
    {
        string[] lines = Page("service_times").Split('\n');

        Assert.Equal("Service Time Percentiles            5 min    60 min:", lines[0]);
        Assert.Equal((5 * 19) + 2, lines.Length);
        Assert.StartsWith("\tHTTP Requests (All):   5%  ", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("\tHTTP Requests (All):  95%  ", lines[19], StringComparison.Ordinal);
        Assert.StartsWith("\tCache Misses:          5%  ", lines[20], StringComparison.Ordinal);
        string[] median = lines.Single(line => line.StartsWith("\tCache Hits:           50%  ", StringComparison.Ordinal))[27..]
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(median, seconds => Assert.InRange(double.Parse(seconds, CultureInfo.InvariantCulture), 0.0009, 0.0011));
        Assert.Equal("\tNear Hits:            95%   0.00000  0.00000", lines[76]);
    }

    [Fact]
    public void History_OfASpan_BeginsWhereASampleIsAsOldAsIt()
    {
        Assert.Equal((25, 8), ((int)_history.HitPercent(5).OfRequests, (int)_history.Now().Requests));
        Assert.Equal(4, _history.Before(TimeSpan.FromMinutes(9)).Requests);
        Assert.Equal(0, _history.Before(TimeSpan.FromMinutes(9) + TimeSpan.FromTicks(1)).Requests);
        Assert.Equal(0, _history.Before(TimeSpan.FromHours(1)).Requests);
        Assert.Equal(TimeSpan.FromMinutes(5), _time.GetElapsedTime(_history.Before(TimeSpan.FromMinutes(5)).At));
        for (int minute = 0; minute < 60; minute++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(TimeSpan.FromMinutes(60), _time.GetElapsedTime(_history.Before(TimeSpan.FromHours(2)).At)); // the oldest kept
        Assert.Equal((0, 0), _history.HitPercent(5));
    }

    [Theory]
    [InlineData(0, "2.00")]
    [InlineData(1, "2.00")]
    [InlineData(2, "1.00")]
    public void Info_OfFewObjects_HasTheirMeanSizeAsOfOneAtLeast(long objects, string kilobytes)
    {
        var store = new StoreStatistics { Objects = objects, UsedBytes = 2048, QuotaBytes = 4096 };
        SquidPages pages = new(_history, () => store, new ClientLimits(0, 0, _time), _time);

        Assert.Contains($"\tMean Object Size:\t{kilobytes} KB\n", pages.All.Single(page => page.Name == "info").Write(),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 4, 25)]
    [InlineData(0, 4, 0)]
    [InlineData(4, 0, 0)]
    [InlineData(4, -1, 0)]
    public void Percent_OfNothing_IsZero(double part, double whole, double percent) =>
        Assert.Equal(percent, SquidHistory.Percent(part, whole));

    private const string Totals = """
        sample_time = 1780315800.000000 (Mon, 01 Jun 2026 12:10:00 GMT)
        client_http.requests = 8
        client_http.hits = 3
        client_http.errors = 3
        client_http.kbytes_out = 850
        client_http.hit_kbytes_out = 350
        server.all.requests = 5
        server.all.errors = 3
        server.all.kbytes_in = 1500
        server.http.requests = 5
        server.http.errors = 3
        server.http.kbytes_in = 1500
        cpu_time = *
        wall_time = 600.000000
        """;

    private const string SinceNoon = """
        sample_start_time = 1780315200.000000 (Mon, 01 Jun 2026 12:00:00 GMT)
        sample_end_time = 1780315800.000000 (Mon, 01 Jun 2026 12:10:00 GMT)
        client_http.requests = 0.013333/sec
        client_http.hits = 0.005000/sec
        client_http.errors = 0.005000/sec
        client_http.kbytes_out = 1.416667/sec
        server.all.requests = 0.008333/sec
        server.all.errors = 0.005000/sec
        server.all.kbytes_in = 2.500000/sec
        server.http.requests = 0.008333/sec
        server.http.errors = 0.005000/sec
        server.http.kbytes_in = 2.500000/sec
        cpu_time = * seconds
        wall_time = 600.000000 seconds
        cpu_usage = *%

        """;

    private string Page(string name) => _pages.All.Single(page => page.Name == name).Write();

    private void AssertPage(string name, string expected)
    {
        string[] lines = Page(name).Split('\n'), wanted = (expected + "\n").ReplaceLineEndings("\n").Split('\n');
        Assert.Equal(wanted.Length, lines.Length);
        foreach ((string line, string said) in wanted.Zip(lines))
        {
            if (line.Contains('*', StringComparison.Ordinal))
            {
                string pattern = Regex.Escape(OneSpace(line)).Replace("\\*", @"[-+.\w]+", StringComparison.Ordinal);
                Assert.Matches($"^{pattern}$", OneSpace(said));
            }
            else
            {
                Assert.Equal(line, said);
            }
        }
    }

    /// <summary>Numbers of unknown length are padded.</summary>
    private static string OneSpace(string line) => Regex.Replace(line, " +", " ");

    private void Record(RequestResult result, long bytes, ByteSource source)
    {
        TimeSpan took = result == RequestResult.Hit ? TimeSpan.FromMilliseconds(1) : TimeSpan.FromMilliseconds(100);
        _recorder.Record(new RequestRecord
        {
            StartedAt = 1,
            EndedAt = 1 + took.Ticks,
            Result = result,
            Source = source,
            Status = 200,
            BytesSent = bytes,
        });
    }

    private void Ask(int times, int inVain, long bytes)
    {
        for (int i = 0; i < times; i++)
        {
            _counters.CountUpstreamRequest("s1");
        }

        for (int i = 0; i < inVain; i++)
        {
            _counters.CountUpstreamFailure("s1", FailureKind.Timeout);
        }

        _counters.CountUpstreamFailure("s1", FailureKind.NotFound);
        _counters.AddUpstreamBytes(bytes);
    }
}

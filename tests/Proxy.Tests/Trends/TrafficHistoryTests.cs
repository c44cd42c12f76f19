using System.Diagnostics.Metrics;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.Boots;
using Breakwater.Proxy.Trends;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Breakwater.Proxy.Tests.Trends;

public sealed class TrafficHistoryTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly BootFeed _feed = new();
    private readonly LogLines<TrafficHistory> _log = new();
    private RequestRecorder? _recorder;

    [Fact]
    public async Task History_AfterARestart_GoesOn()
    {
        TrafficHistory first = await StartAsync();
        Ask(hits: 3, misses: 1, refused: 1);
        _feed.Time.Advance(TimeSpan.FromMinutes(1));
        Ask(hits: 2);
        await first.StopAsync(default);
        _feed.Time.Advance(TimeSpan.FromMinutes(10));

        TrafficHistory second = await StartAsync();
        Ask(hits: 4);
        _feed.Time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal([7, 4], second.Day.Requests.Where(requests => requests > 0));
        Assert.Equal([5, 4], second.Day.Hits.Where(hits => hits > 0));
        Assert.Equal((1, 1), (second.Day.Misses.Sum(), second.Day.Refused.Sum()));
        Assert.Equal((11, 9), (second.Month.Requests.Sum(), second.Month.Hits.Sum()));
        Assert.Equal(1_100, second.Day.SentBytes.Sum());
        await second.StopAsync(default);
    }

    [Fact]
    public async Task History_LongerThanItMayBe_KeepsItsBounds()
    {
        long now = _feed.Time.GetUtcNow().ToUnixTimeSeconds();
        HistoryColumns Long(int seconds) => HistoryColumns.Of(seconds,
            [.. Enumerable.Range(0, 5000).Select(i => new HistoryPoint(now - (now % seconds) - ((long)i * seconds), 1, 1, 0, 0, 1, 1))]);
        StormView storm = StormView.None with { Boots = 1 };
        new HistoryFile(Long(60), Long(3600),
            [.. Enumerable.Range(0, 5000).Select(i => storm with { StartedAt = _feed.Time.GetUtcNow().AddMinutes(-i) })]).Write(File);

        TrafficHistory history = await StartAsync();
        Ask(hits: 1);
        _feed.Time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal((1440, 720, TrafficHistory.MaxStorms),
            (history.Day.At.Length, history.Month.At.Length, history.Storms(9999).Count));
        Assert.InRange(new FileInfo(File).Length, 1000, 500_000);
        await history.StopAsync(default);
    }

    [Fact]
    public async Task Storms_OfAnEarlierProcess_AreInTheListWithoutTheirBoots()
    {
        TrafficHistory first = await StartAsync();
        for (int vm = 0; vm < 7; vm++)
        {
            _feed.Boot(vm, 20);
        }

        _feed.Pass(100);
        Assert.Equal([7], first.Storms(10).Select(storm => storm.Boots));
        await first.StopAsync(default);

        TrafficHistory second = await StartAsync(new BootFeed().Boots);

        StormView storm = Assert.Single(second.Storms(10));
        Assert.Equal((null, 7, 7, false), (storm.Id, storm.Boots, storm.Done, storm.IsRunning));
        await second.StopAsync(default);
        _feed.Time.Advance(TimeSpan.FromDays(31));
        Assert.Empty((await StartAsync(new BootFeed().Boots)).Storms(10));
    }

    [Theory]
    [InlineData("")]
    [InlineData("no json")]
    [InlineData("null")]
    [InlineData("{\"minutes\":{\"at\":[1,2],\"requests\":null},\"hours\":7}")]
    [InlineData("{\"minutes\":{\"at\":[1,2],\"requests\":[1]},\"storms\":[null]}")]
    public async Task File_ThatIsNoHistory_IsBegunAnew(string text)
    {
        await System.IO.File.WriteAllTextAsync(File, text);
        TrafficHistory history = await StartAsync();
        Ask(hits: 1);
        _feed.Time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(1, history.Day.Requests.Sum());
        await history.StopAsync(default);
        Assert.Equal(1, HistoryFile.Read(File).Minutes!.Requests.Sum());
    }

    /// <summary>The limits of 30 days and of now, from both sides.</summary>
    [Fact]
    public async Task Storms_OfAnEarlierProcess_AreThoseOfThirtyDaysAndNotOfTheFuture()
    {
        DateTimeOffset now = _feed.Time.GetUtcNow();
        DateTimeOffset?[] begins =
            [now.AddSeconds(1), now, now.AddHours(-1), now.AddDays(-30), now.AddDays(-30).AddSeconds(-1), null];
        StormView storm = StormView.None with { Id = 7, Boots = 1, IsRunning = true, EstimatedEnd = now.AddHours(1) };
        new HistoryFile(null, null, [.. begins.Select(begin => storm with { StartedAt = begin })]).Write(File);

        TrafficHistory history = await StartAsync();

        Assert.Equal([now, now.AddHours(-1), now.AddDays(-30)], history.Storms(10).Select(kept => kept.StartedAt!.Value));
        Assert.Equal([now, now.AddHours(-1)], history.Storms(2).Select(kept => kept.StartedAt!.Value));
        Assert.All(history.Storms(10), kept => Assert.Equal((null, false, null), (kept.Id, kept.IsRunning, kept.EstimatedEnd)));
        await history.StopAsync(default);
    }

    [Fact]
    public async Task Storm_ThatIsKeptAndStillShown_IsInTheListOnceWithItsNumber()
    {
        TrafficHistory history = await StartAsync();
        _feed.Boot(1, 20);
        _feed.Pass(61);     // noted, and still among the boots

        StormView storm = Assert.Single(history.Storms(10));

        Assert.Equal((1, 1), (storm.Id, storm.Boots));
        await history.StopAsync(default);
    }

    /// <summary>An hour of 60 points is one point of the other series.</summary>
    [Fact]
    public async Task Traffic_OfAnHour_IsByMinutesAndTogether()
    {
        _feed.Time.SetUtcNow(DateTimeOffset.UnixEpoch.AddDays(20_001));
        TrafficHistory history = await StartAsync();
        for (int minute = 0; minute < 60; minute++)
        {
            Ask(hits: 2, misses: 1);
            _feed.Time.Advance(TimeSpan.FromMinutes(1));
        }

        await history.StopAsync(default);

        long begin = DateTimeOffset.UnixEpoch.AddDays(20_001).ToUnixTimeSeconds();
        Assert.Equal((60, 3600), (history.Day.IntervalSeconds, history.Month.IntervalSeconds));
        Assert.Equal(Enumerable.Range(1, 60).Select(minute => begin + (60 * minute)), history.Day.At);
        Assert.All(history.Day.Requests[..60], requests => Assert.Equal(3, requests));
        Assert.Equal([begin, begin + 3600], history.Month.At);
        Assert.Equal([59 * 3, 3], history.Month.Requests);
        Assert.Equal([59, 1], history.Month.Misses);
    }

    /// <summary>A disk that fails is told of once, until it has taken something again.</summary>
    [Fact]
    public async Task Disk_ThatFailsTwice_IsToldOfTwiceAndNotEachMinute()
    {
        TrafficHistory history = await StartAsync();
        for (int i = 0; i < 2; i++)
        {
            Directory.CreateDirectory(File);    // nothing can be put in its place
            _feed.Time.Advance(TimeSpan.FromMinutes(1));
            _feed.Time.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(1 + i, _log.Said.Count);
            Directory.Delete(File);
            _feed.Time.Advance(TimeSpan.FromMinutes(1));
            Assert.True(System.IO.File.Exists(File));
            System.IO.File.Delete(File);
        }

        Assert.All(_log.Said, line => Assert.Contains("not kept for the next start", line, StringComparison.Ordinal));
        await history.StopAsync(default);
    }

    [Fact]
    public async Task History_AfterItWasDisposed_TakesNoNotes()
    {
        TrafficHistory history = await StartAsync();
        history.Dispose();
        Ask(hits: 1);
        _feed.Time.Advance(TimeSpan.FromMinutes(5));

        Assert.Empty(history.Day.At);
    }

    [Fact]
    public async Task Disk_ThatTakesNothing_LeavesTheHistoryInMemory()
    {
        Directory.CreateDirectory(File);    // nothing can be put in its place
        TrafficHistory history = await StartAsync();
        Ask(hits: 1);
        _feed.Time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(1, history.Day.Requests.Sum());
        await history.StopAsync(default);
    }

    public void Dispose()
    {
        _services.Dispose();
        _directory.Dispose();
    }

    private string File => _directory.Combine("history.json");

    private async Task<TrafficHistory> StartAsync(BootTimelines? boots = null)
    {
        IMeterFactory meters = _services.GetRequiredService<IMeterFactory>();
        _recorder = new RequestRecorder(meters, _feed.Time);
        var settings = new BreakwaterSettings
        {
            Proxy = new ProxyOptions(),
            Access = new AccessOptions(),
            Store = new CacheStore.StoreOptions { Path = _directory.Path },
            Repositories = new Dictionary<string, RepositoryOptions>(),
        };
        var history = new TrafficHistory(settings, _recorder, new ProxyCounters(meters), new BootBoard(boots ?? _feed.Boots, _feed.Time),
            _feed.Time, _log);
        await history.StartAsync(default);
        return history;
    }

    private void Ask(int hits = 0, int misses = 0, int refused = 0)
    {
        for (int i = 0; i < hits + misses + refused; i++)
        {
            RequestResult result = i < hits ? RequestResult.Hit : i < hits + misses ? RequestResult.Miss : RequestResult.Refused;
            _recorder!.Record(_feed.Record(1, 1, "C", 0, 1, result: result));
        }
    }
}

using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Upstreams;

public sealed class UpstreamPaceTests : IDisposable
{
    private const int Rate = 100_000;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));
    private UpstreamPace? _pace;

    public void Dispose() => _pace?.Dispose();

    [Fact]
    public void PayAsync_NoLimit_NeverWaits()
    {
        UpstreamPace pace = Pace();

        Assert.True(pace.PayAsync(int.MaxValue, () => PaceTurn.Idle, default).AsTask().IsCompletedSuccessfully);
        Assert.Null(pace.BytesPerSecond);
        Assert.Equal(1 << 20, pace.Piece(1 << 20));
    }

    [Fact]
    public async Task PayAsync_ManyBodies_NoMoreThanTheLimitInAnyTime()
    {
        UpstreamPace pace = Pace(new BandwidthOptions { BytesPerSecond = Rate });
        Task[] pieces = [.. Enumerable.Range(0, 105).Select(_ => pace.PayAsync(10_000, () => PaceTurn.More, default).AsTask())];

        for (int second = 0; second <= 8; second++)
        {
            // The burst is a quarter of a second, and the last piece is let on before it is paid for whole.
            int most = 3 + (10 * second);
            await Task.WhenAll(pieces[..most]).InTimeAsync();
            Assert.All(pieces[most..], piece => Assert.False(piece.IsCompleted));
            for (int step = 0; step < 100; step++)
            {
                _time.Advance(TimeSpan.FromMilliseconds(10));
            }
        }
    }

    [Fact]
    public async Task PayAsync_LongIdle_GivesNoMoreThanTheBurst()
    {
        UpstreamPace pace = Pace(new BandwidthOptions { BytesPerSecond = Rate });
        _time.Advance(TimeSpan.FromHours(1));

        Assert.True(pace.PayAsync(25_000, () => PaceTurn.Idle, default).AsTask().IsCompletedSuccessfully);
        Task next = pace.PayAsync(1, () => PaceTurn.Idle, default).AsTask();
        Assert.False(next.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await next.InTimeAsync();
    }

    [Fact]
    public async Task PayAsync_PrefetchesWait_DemandGoesBeforeThem_AndSoDoesWhatIsWantedMeanwhile()
    {
        UpstreamPace pace = Pace(new BandwidthOptions { BytesPerSecond = Rate });
        await pace.PayAsync(Rate, () => PaceTurn.Idle, default);
        PaceTurn promoted = PaceTurn.Idle;
        Task idle = pace.PayAsync(50_000, () => PaceTurn.Idle, default).AsTask();
        Task joined = pace.PayAsync(50_000, () => promoted, default).AsTask();
        Task more = pace.PayAsync(50_000, () => PaceTurn.More, default).AsTask();
        Task first = pace.PayAsync(50_000, () => PaceTurn.First, default).AsTask();
        promoted = PaceTurn.First;

        foreach ((Task next, Task[] later) in ((Task, Task[])[])[(joined, [first, more, idle]), (first, [more, idle]), (more, [idle])])
        {
            await AdvanceUntilAsync(next);
            Assert.All(later, one => Assert.False(one.IsCompleted));
        }

        await AdvanceUntilAsync(idle);
    }

    [Fact]
    public async Task PayAsync_FirstBytesWithoutEnd_AStreamGoesOn()
    {
        UpstreamPace pace = Pace(new BandwidthOptions { BytesPerSecond = Rate });
        await pace.PayAsync(Rate, () => PaceTurn.First, default);
        Task[] firsts = [.. Enumerable.Range(0, 50).Select(_ => pace.PayAsync(10_000, () => PaceTurn.First, default).AsTask())];
        Task stream = pace.PayAsync(10_000, () => PaceTurn.More, default).AsTask();

        await AdvanceUntilAsync(firsts[0]);
        await AdvanceUntilAsync(firsts[1]);
        await AdvanceUntilAsync(firsts[2]);
        await AdvanceUntilAsync(stream);

        Assert.All(firsts[3..], one => Assert.False(one.IsCompleted));
    }

    [Fact]
    public async Task PayAsync_Cancelled_CountsAllTheSame()
    {
        UpstreamPace pace = Pace(new BandwidthOptions { BytesPerSecond = Rate });
        await pace.PayAsync(25_001, () => PaceTurn.More, default);
        using var cancel = new CancellationTokenSource();
        Task gone = pace.PayAsync(Rate, () => PaceTurn.More, cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAsync<TaskCanceledException>(() => gone.InTimeAsync());

        Assert.Equal(0, pace.Waiting);
        Task next = pace.PayAsync(1, () => PaceTurn.More, default).AsTask();
        _time.Advance(TimeSpan.FromMilliseconds(900));
        Assert.False(next.IsCompleted);
        await AdvanceUntilAsync(next);
    }

    [Fact]
    public async Task Replace_LimitGoes_WhoWaitsGoesOn()
    {
        UpstreamPace pace = Pace(new BandwidthOptions { BytesPerSecond = Rate });
        await pace.PayAsync(100 * Rate, () => PaceTurn.More, default);
        Task waits = pace.PayAsync(1, () => PaceTurn.More, default).AsTask();
        Assert.False(waits.IsCompleted);

        pace.Replace(new UpstreamOptions());

        await waits.InTimeAsync();
    }

    [Fact]
    public async Task PayAsync_PeriodEnds_WhoWaitsGoesOn()
    {
        UpstreamPace pace = Pace(new BandwidthOptions { BytesPerSecond = Rate, From = new TimeOnly(8, 0), To = new TimeOnly(12, 1) });
        await pace.PayAsync(1000 * Rate, () => PaceTurn.More, default);
        Task waits = pace.PayAsync(1, () => PaceTurn.More, default).AsTask();

        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(waits.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(2));

        await waits.InTimeAsync();
        Assert.Null(pace.BytesPerSecond);
    }

    /// <summary>One hour ahead of UTC; clocks go from 2:00 to 3:00 on March 29, and from 3:00 to 2:00 on October 25.</summary>
    [Theory]
    [InlineData("2026-06-01T19:59:59", "22:00", "06:00", false)]
    [InlineData("2026-06-01T20:00:00", "22:00", "06:00", true)]
    [InlineData("2026-06-01T23:00:00", "22:00", "06:00", true)]
    [InlineData("2026-06-02T03:59:59", "22:00", "06:00", true)]
    [InlineData("2026-06-02T04:00:00", "22:00", "06:00", false)]
    [InlineData("2026-06-01T21:59:59", "12:00", "00:00", true)]
    [InlineData("2026-06-01T22:00:00", "12:00", "00:00", false)]
    [InlineData("2026-03-29T00:59:59", "02:30", "05:00", false)]
    [InlineData("2026-03-29T01:00:00", "02:30", "05:00", true)]
    [InlineData("2026-03-29T01:00:00", "00:00", "02:30", false)]
    [InlineData("2026-10-25T00:45:00", "02:30", "05:00", true)]
    [InlineData("2026-10-25T01:15:00", "02:30", "05:00", false)]
    [InlineData("2026-10-25T01:45:00", "02:30", "05:00", true)]
    public void BytesPerSecond_Period_IsByTheClockOnTheWall(string utc, string from, string to, bool holds)
    {
        var day = TimeZoneInfo.AdjustmentRule.CreateAdjustmentRule(DateTime.MinValue.Date, DateTime.MaxValue.Date, TimeSpan.FromHours(1),
            TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new DateTime(1, 1, 1, 2, 0, 0), 3, 5, DayOfWeek.Sunday),
            TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new DateTime(1, 1, 1, 3, 0, 0), 10, 5, DayOfWeek.Sunday));
        var time = new FakeTimeProvider(DateTimeOffset.Parse(utc + "Z", System.Globalization.CultureInfo.InvariantCulture));
        time.SetLocalTimeZone(TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromHours(1), "test", "test", "test", [day]));
        using var pace = new UpstreamPace(
            new UpstreamOptions
            {
                Bandwidth = [new() { BytesPerSecond = Rate, From = At(from), To = At(to) }, new() { BytesPerSecond = 2 * Rate }],
            },
            new ProxyOptions(), time);

        Assert.Equal(holds ? Rate : 2 * Rate, pace.BytesPerSecond);
    }

    [Fact]
    public void BytesPerSecond_ZeroFirst_IsNoLimitAtThatTime()
    {
        UpstreamPace pace = Pace(
            new BandwidthOptions { BytesPerSecond = 0, From = At("11:00"), To = At("13:00") },
            new BandwidthOptions { BytesPerSecond = Rate });
        Assert.Null(pace.BytesPerSecond);

        _time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(Rate, pace.BytesPerSecond);
    }

    [Fact]
    public async Task Find_ClientsFirstByteHeldBackTooLong_IsTold_PrefetchesAreNot()
    {
        UpstreamPace pace = Pace(new BandwidthOptions { BytesPerSecond = Rate });
        await WaitSecondsAsync(PaceTurn.Idle);
        await WaitSecondsAsync(PaceTurn.More);
        Assert.Empty(pace.Find());

        await WaitSecondsAsync(PaceTurn.First);
        Assert.Equal("upstream-limit-too-low", Assert.Single(pace.Find()).Name);

        _time.Advance(TimeSpan.FromMinutes(11));
        Assert.Empty(pace.Find());

        async Task WaitSecondsAsync(PaceTurn turn)
        {
            PacedBody body = pace.Begin(() => turn);
            await body.PayAsync(3 * Rate, default).AsTask().InTimeAsync();
            Task waits = body.PayAsync(1, default).AsTask();
            await AdvanceUntilAsync(waits);
            _time.Advance(TimeSpan.FromMinutes(1));
            Assert.True(body.Waited >= TimeSpan.FromSeconds(2));
        }
    }

    /// <summary>A sixteenth of a second at a time, and never less than 4 KiB.</summary>
    [Theory]
    [InlineData(Rate, 1 << 20, 6250)]
    [InlineData(Rate, 6249, 6249)]
    [InlineData(16_384, 1 << 20, 4096)]
    [InlineData(65_552, 1 << 20, 4097)]
    [InlineData(16_384, 1000, 1000)]
    public void Piece_OfABody_IsSoSmallThatNobodyHasTheWayForLong(long rate, int wanted, int expected) =>
        Assert.Equal(expected, Pace(new BandwidthOptions { BytesPerSecond = rate }).Piece(wanted));

    [Theory]
    [InlineData(1.875, 1)]
    [InlineData(1.874, 0)]
    public void NoteLate_HalfOfTheTimeOfAnAnswer_IsToldForTenMinutes(double seconds, int told)
    {
        UpstreamPace pace = Pace(new BandwidthOptions { BytesPerSecond = Rate });
        pace.NoteLate(TimeSpan.FromSeconds(seconds));

        Assert.Equal(told, pace.Find().Count());
        _time.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(told, pace.Find().Count());
        Assert.All(pace.Find(), finding => Assert.Contains("now 100000 bytes a second", finding.Text, StringComparison.Ordinal));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Empty(pace.Find());
    }

    [Fact]
    public async Task Waited_OfABody_CountsWhileItWaitsAndAddsUp()
    {
        UpstreamPace pace = Pace(new BandwidthOptions { BytesPerSecond = Rate });
        PacedBody body = pace.Begin(() => PaceTurn.More);
        await body.PayAsync(125_000, default);
        Assert.Equal(TimeSpan.Zero, body.Waited);
        for (int i = 1; i <= 2; i++)
        {
            Task waits = body.PayAsync(100_000, default).AsTask();
            _time.Advance(TimeSpan.FromSeconds(0.5));
            Assert.Equal(i - 0.5, body.Waited.TotalSeconds, 0.01 * i);
            _time.Advance(TimeSpan.FromSeconds(0.5));
            _time.Advance(TimeSpan.FromMilliseconds(2)); // the timer is set behind the moment
            await waits.InTimeAsync();
            Assert.Equal(i, body.Waited.TotalSeconds, 0.01 * i);
        }

        Assert.Empty(pace.Find()); // nobody's first byte
        Assert.True(body.PayAsync(0, default).AsTask().IsCompletedSuccessfully);
    }

    private static TimeOnly At(string text) => TimeOnly.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private UpstreamPace Pace(params BandwidthOptions[] limits) =>
        _pace = new UpstreamPace(new UpstreamOptions { Bandwidth = limits }, new ProxyOptions(), _time);

    /// <summary>Steps of a hundredth of a second until one more of those who wait was let on.</summary>
    private async Task AdvanceUntilAsync(Task task)
    {
        int waiting = _pace!.Waiting;
        while (_pace.Waiting == waiting)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
        }

        await task.InTimeAsync();
    }
}

using System.Globalization;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Documents;

/// <summary>Documents, and what is remembered of failures, on a machine whose wall clock is stepped (ADR 0030).</summary>
public sealed class ClockTests : IAsyncLifetime
{
    private static readonly string s_manifest = FixtureRepository.MiniOs.UrlPath(".cvmfspublished");
    private static readonly string s_reflog = FixtureRepository.MiniOs.UrlPath(".cvmfsreflog");
    private static readonly string s_replica = FixtureRepository.MiniOs.UrlPath(".cvmfs_master_replica");

    private readonly FakeTimeProvider _real = new(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly SteppedTime _time;
    private readonly TemporaryDirectory _keys = new();
    private readonly ScriptedUpstream _stratum1 = ScriptedUpstream.Serving(FixtureRepository.MiniOs);
    private ProxyUnderTest _proxy = null!;

    public ClockTests() => _time = new SteppedTime(_real);

    public static TheoryData<string> Steps =>
        ["-0.00:00:01", "-0.02:00:00", "-30.00:00:00", "-20000.00:00:00", "30.00:00:00", "27000.00:00:00"];

    public async Task InitializeAsync() =>
        _proxy = await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Repositories:KeysDirectory"] = _keys.Path }, _time,
        _stratum1);

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _stratum1.DisposeAsync();
        _keys.Dispose();
    }

    [Theory]
    [InlineData("-0.00:00:01")]
    [InlineData("-0.02:00:00")]
    [InlineData("-30.00:00:00")]
    [InlineData("-20000.00:00:00")]
    public async Task Documents_WallClockSetBack_AreCheckedAgainAfter61SecondsAndNotBefore(string step)
    {
        foreach (string url in (string[])[s_manifest, s_reflog])
        {
            _time.Ahead = TimeSpan.Zero;
            await _proxy.GetAsync(url);
            int asked = _stratum1.RequestCount(url);

            _time.Ahead = TimeSpan.Parse(step, CultureInfo.InvariantCulture);
            _real.Advance(TimeSpan.FromSeconds(30));
            RawResponse fresh = await _proxy.GetAsync(url);
            Assert.Equal("30", fresh.Header("Age"));
            Assert.Equal(asked, _stratum1.RequestCount(url));

            _real.Advance(TimeSpan.FromSeconds(32));
            Assert.Equal("0", (await _proxy.GetAsync(url)).Header("Age"));
            Assert.Equal(asked + 1, _stratum1.RequestCount(url));
        }
    }

    [Theory]
    [InlineData("0.00:01:02")]
    [InlineData("1.00:00:00")]
    [InlineData("27000.00:00:00")]
    public async Task Documents_WallClockSetAheadOrMachineSlept_AreCheckedOnceMoreAndThenEvery61Seconds(string step)
    {
        foreach (string url in (string[])[s_manifest, s_reflog])
        {
            _time.Ahead = TimeSpan.Zero;
            await _proxy.GetAsync(url);
            _real.Advance(TimeSpan.FromSeconds(62));
            await _proxy.GetAsync(url);
            int asked = _stratum1.RequestCount(url);

            _time.Ahead = TimeSpan.Parse(step, CultureInfo.InvariantCulture);
            Assert.Equal("0", (await _proxy.GetAsync(url)).Header("Age"));
            Assert.Equal(asked + 1, _stratum1.RequestCount(url));
            _real.Advance(TimeSpan.FromSeconds(60));
            Assert.Equal("60", (await _proxy.GetAsync(url)).Header("Age"));
            _time.Ahead = TimeSpan.Zero; // corrected
            Assert.Equal("60", (await _proxy.GetAsync(url)).Header("Age"));
            Assert.Equal(asked + 1, _stratum1.RequestCount(url));
        }
    }

    [Fact]
    public async Task Documents_AnySequenceOfStepsAndTime_AreAsOldAsTheyMayBeAndNoOlder()
    {
        var random = new Random(30);
        (DateTimeOffset Real, DateTimeOffset Wall)? check = null;
        for (int i = 0; i < 300; i++)
        {
            _time.Ahead =
                TimeSpan.FromSeconds(random.Next(3) == 0 ? random.NextInt64(-1_700_000_000, 2_300_000_000) : random.Next(-200, 200));
            TimeSpan passes = TimeSpan.FromSeconds(random.Next(0, 50));
            _real.Advance(passes);
            int asked = _stratum1.RequestCount(s_manifest);
            RawResponse response = await _proxy.GetAsync(s_manifest);

            (DateTimeOffset real, DateTimeOffset wall) = (_real.GetUtcNow(), _time.GetUtcNow());
            TimeSpan age = check is { } last
                ? new TimeSpan(Math.Max((real - last.Real).Ticks, (wall - last.Wall).Ticks))
                : TimeSpan.MaxValue;
            bool isDue = age >= TimeSpan.FromSeconds(61);
            (check, age) = isDue ? ((real, wall), TimeSpan.Zero) : (check, age);
            Assert.Equal(200, response.Status);
            Assert.Equal(asked + (isDue ? 1 : 0), _stratum1.RequestCount(s_manifest));
            Assert.Equal(((int)age.TotalSeconds).ToString(CultureInfo.InvariantCulture), response.Header("Age"));
        }
    }

    [Theory]
    [InlineData("00:00:10")]
    [InlineData("02:00:00")]
    [InlineData("20000.00:00:00")]
    public async Task Documents_StoredByAClockThatWasAhead_AreCheckedAfterTheRestart(string ahead)
    {
        _time.Ahead = TimeSpan.Parse(ahead, CultureInfo.InvariantCulture);
        await _proxy.GetAsync(s_manifest);
        await _proxy.GetAsync(s_reflog);

        _time.Ahead = TimeSpan.Zero;
        await _proxy.RestartAsync();
        foreach (string url in (string[])[s_manifest, s_reflog])
        {
            int asked = _stratum1.RequestCount(url);
            Assert.Equal("0", (await _proxy.GetAsync(url)).Header("Age"));
            Assert.Equal(asked + 1, _stratum1.RequestCount(url));
        }
    }

    [Fact]
    public async Task Documents_StoredByAClockThatWasFarBehind_AreServedStaleWithAnAgeOfReason()
    {
        _time.SetWall(new DateTimeOffset(1971, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await _proxy.GetAsync(s_manifest);
        _stratum1.Everything = UpstreamBehaviour.ResetWithoutAnswer;
        _time.SetWall(new DateTimeOffset(2120, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await _proxy.RestartAsync();

        RawResponse stale = await _proxy.GetAsync(s_manifest);

        Assert.Equal(200, stale.Status);
        Assert.InRange(int.Parse(stale.Header("Age")!, CultureInfo.InvariantCulture), 61, int.MaxValue);
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task Failures_WallClockStepped_AreForgottenInTime(string step)
    {
        string missing = FixtureRepository.MiniOs.UrlPath("data/00/000000000000000000000000000000000000ff");
        Assert.Equal(404, (await _proxy.GetAsync(s_replica)).Status);
        Assert.Equal(404, (await _proxy.GetAsync(missing)).Status);
        int asked = _stratum1.RequestCount(missing);

        _time.Ahead = TimeSpan.Parse(step, CultureInfo.InvariantCulture);
        _stratum1.Put(s_replica, "x"u8.ToArray());
        Assert.Equal(404, (await _proxy.GetAsync(s_replica)).Status);
        _real.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(200, (await _proxy.GetAsync(s_replica)).Status);
        await _proxy.GetAsync(missing);
        Assert.Equal(asked + 1, _stratum1.RequestCount(missing));
    }
}

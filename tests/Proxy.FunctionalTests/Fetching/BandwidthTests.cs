using System.Diagnostics;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Fetching;

/// <summary>Every way of a body from upstream feels <c>Upstream:Bandwidth</c>.</summary>
public sealed class BandwidthTests : IAsyncDisposable
{
    private const int Rate = 400_000;
    private const string Document = "/cvmfs/synthetic.example.org/.cvmfsreflog";
    private const string External = "/cvmfs/synthetic.example.org/store/file.dat";
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private readonly SyntheticObject _object = new(900_000);

    public async ValueTask DisposeAsync() => await _upstream.DisposeAsync();

    [Theory]
    [InlineData("object")]
    [InlineData("document")]
    [InlineData("external")]
    [InlineData("checked")]
    [InlineData("stored")]
    [InlineData("live")]
    public async Task Get_TimeStandsStill_NoMoreThanTheBurstComes(string way)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        _object.On(_upstream);
        foreach (string path in (string[])[Document, External, "/file"])
        {
            _upstream.Put(path, _object.Bytes);
        }

        (string target, string[] fields) = way switch
        {
            "object" => (_object.Url, Array.Empty<string>()),
            "document" => (Document, []),
            "external" => (External, []),
            "checked" => (_object.Url, ["Authorization: Bearer mine"]),
            "stored" => (_upstream.Address + "file", []),
            _ => (_upstream.Address + "file", ["Authorization: Bearer mine"]),
        };
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(Settings(), time, _upstream);
        ProxyCounters counters = proxy.Services.GetRequiredService<ProxyCounters>();

        Task<RawResponse> answer = proxy.GetAsync(target, fields);
        UpstreamPace pace = proxy.Services.GetRequiredService<UpstreamPace>();
        await Waiting.UntilAsync(() => pace.Waiting > 0);
        Assert.InRange(counters.UpstreamBytesTotal, Rate / 4, (Rate / 4) + (2 * (Rate / 16)) + (16 << 10));

        await Waiting.UntilAsync(() =>
        {
            if (pace.Waiting > 0)
            {
                time.Advance(TimeSpan.FromMilliseconds(50));
            }

            return answer.IsCompleted;
        });
        RawResponse response = await answer;
        Assert.Equal((200, true), (response.Status, response.IsComplete));
        Assert.Equal(_object.Bytes, response.Body);
        Assert.Equal(_object.Bytes.Length, counters.UpstreamBytesTotal);
        Assert.Equal((long?)Rate, pace.BytesPerSecond); // the gauge that shows it may be another proxy's of this process
    }

    /// <summary>A bound from below: a busy machine makes it longer, never shorter.</summary>
    [Fact]
    public async Task Get_RealTime_TakesAsLongAsTheLimitSays()
    {
        _object.On(_upstream);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(Settings(), null, _upstream);
        long begun = Stopwatch.GetTimestamp();

        RawResponse response = await proxy.GetAsync(_object.Url);

        Assert.Equal(_object.Bytes, response.Body);
        double least = (_object.Bytes.Length - (Rate / 4.0) - (2 * Rate / 16.0)) / Rate;
        Assert.True(Stopwatch.GetElapsedTime(begun).TotalSeconds >= 0.95 * least, $"{Stopwatch.GetElapsedTime(begun)}");
    }

    [Fact]
    public async Task Change_LimitIsTakenOut_WhatWaitsComes()
    {
        _object.On(_upstream);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(Settings(), time, _upstream);
        Task<RawResponse> answer = proxy.GetAsync(_object.Url);
        await Waiting.UntilAsync(() => proxy.Services.GetRequiredService<UpstreamPace>().Waiting > 0);

        proxy.Change(new Dictionary<string, string?> { ["Upstream:Bandwidth:0:BytesPerSecond"] = "0" });

        Assert.Equal(_object.Bytes, (await answer.InTimeAsync()).Body);
    }

    private Dictionary<string, string?> Settings() => new(ProxyUnderTest.Patient)
    {
        ["Upstream:Bandwidth:0:BytesPerSecond"] = $"{Rate}",
        ["Access:Destinations:0"] = _upstream.EndPoint.ToString(),
        ["Access:AllowedUpstreams:0"] = "127.0.0.1/32",
    };
}

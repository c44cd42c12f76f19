using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Observability;

/// <summary>Each event is counted in the metric of its name, with its labels.</summary>
public sealed class ProxyMetricsTests : IDisposable
{
    private readonly Measured _measured = new();
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => _measured.Dispose();

    [Fact]
    public void Counters_OfUpstreams_AreByUpstreamAndKind()
    {
        using var counters = new ProxyCounters(_measured.Meters);
        counters.CountUpstreamRequest("s1:80");
        counters.CountUpstreamFailure("s1:80", FailureKind.WrongBytes);
        counters.CountUpstreamFailure("s2", FailureKind.NotFound);
        counters.UpstreamObjectRequests.Add(1);
        counters.WrongBodies.Add(1);
        counters.RefusedDocuments.Add(1);
        Assert.Equal(
            ["breakwater.upstream.requests upstream=s1:80 1", "breakwater.upstream.failures upstream=s1:80 kind=wrongbytes 1",
            "breakwater.upstream.failures upstream=s2 kind=notfound 1", "breakwater.upstream.object_requests 1",
            "breakwater.upstream.wrong_bodies 1", "breakwater.documents.refused 1"], _measured.Lines);
        Assert.Equal((1, 1), (counters.UpstreamRequestsTotal, counters.UpstreamFailuresTotal)); // a 404 is no failure

        counters.AddUpstreamBytes(70);
        counters.AddUpstreamBytes(7);
        counters.CountHitPathAnswer();
        _measured.Lines.Clear();
        _measured.Look();
        Assert.Equal(["breakwater.hit_path.answers 1", "breakwater.upstream.received 77"], _measured.Lines);
    }

    [Fact]
    public void Recorder_OfRequests_CountsByResultWhatWasSentAndLost()
    {
        var recorder = new RequestRecorder(_measured.Meters, _time);
        recorder.Record(new RequestRecord
        {
            StartedAt = 10,
            AnsweredAt = 10 + TimeSpan.TicksPerSecond,
            EndedAt = 10 + (2 * TimeSpan.TicksPerSecond),
            Result = RequestResult.PassedThrough,
            Status = 200,
            BytesSent = 5,
        });
        recorder.Record(new RequestRecord { StartedAt = 1, EndedAt = 2, Result = RequestResult.ClientGone, Status = 0, BytesSent = 3 });
        recorder.AddLostLines(4);
        recorder.AddLostLines(5);
        Assert.Equal(["breakwater.request.first_byte result=passed-through 1"], _measured.Lines); // none without an answer

        _measured.Lines.Clear();
        _measured.Look();
        Assert.Equal(
            ["breakwater.access_log.lost 9", "breakwater.requests result=client-gone 1", "breakwater.requests result=passed-through 1",
            "breakwater.sent result=client-gone 3", "breakwater.sent result=passed-through 5"],
            _measured.Lines.Where(one => !one.EndsWith(" 0", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Contains("breakwater.requests.unrecorded 0", _measured.Lines);
        Assert.Equal(Enum.GetValues<RequestResult>().Length,
            _measured.Lines.Count(one => one.StartsWith("breakwater.requests result=", StringComparison.Ordinal)));
    }

    [Fact]
    public void Recorder_BytesOfHits_AreCountedApartWhereTheyCameFromDisk()
    {
        var recorder = new RequestRecorder(_measured.Meters, _time);
        foreach (ByteSource source in Enum.GetValues<ByteSource>())
        {
            recorder.Record(
                new RequestRecord { StartedAt = 1, EndedAt = 2, Result = RequestResult.Hit, Source = source, Status = 200, BytesSent = 7 });
        }

        Assert.Equal(7, recorder.DiskHitBytes);
        Assert.Equal(Enum.GetValues<ByteSource>().Length, recorder.TimesTaken().Sum());
        List<RequestRecord> kept = [];
        recorder.Drain(kept);
        Assert.Empty(kept); // nobody reads them
    }

    [Fact]
    public void Exchanges_OfOrdinaryHttp_AreByResult()
    {
        var counters = new ExchangeCounters(_measured.Meters);
        counters.Count(RequestResult.Hit, 10);
        counters.Count(RequestResult.Hit, 5);
        counters.Count(RequestResult.PassedThrough, 0);
        _measured.Look();

        Assert.Equal([(RequestResult.Hit, 2, 15), (RequestResult.PassedThrough, 1, 0)], counters.Totals());
        Assert.Equal(["breakwater.http.requests result=hit 2", "breakwater.http.requests result=passed-through 1",
            "breakwater.http.sent result=hit 15"], _measured.Lines.Where(one => !one.EndsWith(" 0", StringComparison.Ordinal)));
    }

    /// <summary>Told at once, then not for ten seconds; recent for two minutes.</summary>
    [Fact]
    public void LossWatch_WhatIsLost_IsToldNowAndThen()
    {
        var watch = new LossWatch(_time);
        Assert.Null(watch.Look(0));
        Assert.False(watch.IsRecent);
        Assert.Equal(5, watch.Look(5));
        Assert.Null(watch.Look(5));
        Assert.Null(watch.Look(7));
        _time.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));
        Assert.Null(watch.Look(8));
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(4, watch.Look(9));
        Assert.Null(watch.Look(9));
        _time.Advance(TimeSpan.FromMinutes(2) - TimeSpan.FromTicks(1));
        Assert.True(watch.IsRecent);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.False(watch.IsRecent);
        Assert.Equal(1, watch.Look(10));
        Assert.True(watch.IsRecent);
    }

    /// <summary>What was told late is not new for that.</summary>
    [Fact]
    public void LossWatch_ToldLater_IsRecentFromWhenItWasLost()
    {
        var watch = new LossWatch(_time);
        watch.Look(1);
        watch.Look(2);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, watch.Look(2));
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.False(watch.IsRecent);
    }
}

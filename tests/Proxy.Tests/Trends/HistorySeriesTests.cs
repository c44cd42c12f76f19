using Breakwater.Proxy.Trends;

namespace Breakwater.Proxy.Tests.Trends;

public class HistorySeriesTests
{
    private const long Start = 1_800_000_000;   // a whole hour
    private readonly HistorySeries _series = new(TimeSpan.FromMinutes(1), 5);

    [Fact]
    public void Points_OfOneInterval_AreOne()
    {
        Add(Start + 1, 3);
        Add(Start + 59, 4);
        Add(Start + 60, 5);

        Assert.Equal([(Start, 7L), (Start + 60, 5L)], Points());
    }

    [Fact]
    public void Points_MoreThanAreKept_GoOldestFirst()
    {
        for (int i = 0; i < 1000; i++)
        {
            Add(Start + (60 * i), i);
        }

        Assert.Equal([995L, 996L, 997L, 998L, 999L], Points().Select(point => point.Requests));
    }

    [Fact]
    public void Points_AfterALongPause_AreNotOlderThanTheSeriesIsLong()
    {
        Add(Start, 1);
        Add(Start + 86_400, 2);

        Assert.Equal([(Start + 86_400, 2L)], Points());
    }

    [Fact]
    public void Clock_SetBack_TakesTheFutureAway()
    {
        Add(Start, 1);
        Add(Start + 120, 2);
        Add(Start + 30, 3);     // more than an interval back
        Add(Start + 60, 4);
        Add(Start + 59, 5);     // a second back: into the same point

        Assert.Equal([(Start, 4L), (Start + 60, 9L)], Points());
    }

    [Fact]
    public void Restored_WhatCannotBe_IsLeftOut()
    {
        _series.Restore(
            [Point(Start + 600, 9), Point(Start + 61, 8), Point(-60, 7), Point(Start + 60, -6), Point(Start, 5)], Start + 100);

        Assert.Equal([(Start, 5L), (Start + 60, 0L)], Points());
    }

    [Fact]
    public void Columns_OfUnequalLength_AreNoHistory()
    {
        Add(Start, 1);
        var columns = HistoryColumns.Of(60, _series.Points);

        Assert.Equal(_series.Points, columns.Points());
        Assert.Empty((columns with { Hits = [1, 2] }).Points());
        Assert.Empty((columns with { At = null! }).Points());
    }

    [Fact]
    public void Point_AndAnother_AddsEachColumnAndSinceTakesItAway()
    {
        var point = new HistoryPoint(100, 20, 30, 40, 50, 60, 70);
        var before = new HistoryPoint(99, 1, 2, 3, 4, 5, 6);

        Assert.Equal(new HistoryPoint(100, 21, 32, 43, 54, 65, 76), point.And(before));
        Assert.Equal(new HistoryPoint(100, 19, 28, 37, 46, 55, 64), point.Since(before));
        Assert.Equal(new HistoryPoint(99, 0, 0, 0, 0, 0, 0), before.Since(point));      // counters that began anew
    }

    [Fact]
    public void Columns_OfPoints_AreThosePointsAgain()
    {
        HistoryPoint[] points = [new(60, 1, 2, 3, 4, 5, 6), new(120, 11, 12, 13, 14, 15, 16)];

        var columns = HistoryColumns.Of(60, points);

        Assert.Equal(points, columns.Points());
        Assert.Equal([3, 13], columns.Misses);
    }

    [Fact]
    public void Restored_UpToNow_InWhateverOrder()
    {
        _series.Restore([Point(Start + 120, 3), Point(Start, 1), Point(Start + 60, 2), Point(Start + 180, 4), Point(0, 9)], Start + 120);

        Assert.Equal([(Start, 1L), (Start + 60, 2L), (Start + 120, 3L)], Points());
    }

    [Fact]
    public void Points_AsManyAsAreKept_AreAllThere()
    {
        for (int i = 0; i < 5; i++)
        {
            Add(Start + (60 * i), i);
        }

        Assert.Equal([0L, 1L, 2L, 3L, 4L], Points().Select(point => point.Requests));
    }

    private void Add(long at, long requests) => _series.Add(Point(at, requests));

    private static HistoryPoint Point(long at, long requests) => new(at, requests, 0, 0, 0, 0, 0);

    private (long At, long Requests)[] Points() => [.. _series.Points.Select(point => (point.At, point.Requests))];
}

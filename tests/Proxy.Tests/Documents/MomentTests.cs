using Breakwater.Proxy.Documents;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Documents;

/// <summary>How long ago something was, whatever is done to the wall clock.</summary>
public sealed class MomentTests
{
    private static readonly DateTimeOffset s_start = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly FakeTimeProvider _time = new(s_start);

    [Fact]
    public void Age_OfNow_IsWhatHasPassed()
    {
        var moment = Moment.Now(_time);
        Assert.Equal(TimeSpan.Zero, moment.Age(_time));

        _time.Advance(TimeSpan.FromSeconds(90));

        Assert.Equal(TimeSpan.FromSeconds(90), moment.Age(_time));
        Assert.Equal(s_start, moment.ToUtc(_time));
    }

    [Theory]
    [InlineData(10, 30, 30)]
    [InlineData(30, 10, 30)]
    [InlineData(-5, 10, 10)]
    public void Age_OfTwoClocksThatDisagree_IsTheGreater(double wallSeconds, double elapsedSeconds, double age)
    {
        var moment = new Moment(_time.GetTimestamp() - (long)(elapsedSeconds * _time.TimestampFrequency),
            _time.GetUtcNow().AddSeconds(-wallSeconds));

        Assert.Equal(age, moment.Age(_time).TotalSeconds);
        Assert.Equal(s_start.AddSeconds(-age), moment.ToUtc(_time));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(7, 7)]
    [InlineData(3650, 3650)]
    [InlineData(3651, 3650)]
    [InlineData(-0.001, 3650)]
    public void Stored_ByAnEarlierProcess_IsAsOldAsItSaysOrTenYears(double days, double age)
    {
        var moment = Moment.Stored(s_start.AddDays(-days), _time);

        Assert.Equal(age, moment.Age(_time).TotalDays);
        _time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(Math.Min(age + 1, 3650), moment.Age(_time).TotalDays);
    }

    [Fact]
    public void Document_IsFresh_UntilItsLifetimeIsOver()
    {
        var document = new CachedDocument("x"u8.ToArray(), "text/plain", TimeSpan.FromSeconds(61), Moment.Now(_time),
            TimeSpan.FromSeconds(5.5), null);
        Assert.Equal((true, 5L), (document.IsFresh(_time), document.AgeSeconds(_time)));

        _time.Advance(TimeSpan.FromSeconds(61) - TimeSpan.FromTicks(1));
        Assert.Equal((true, 66L), (document.IsFresh(_time), document.AgeSeconds(_time)));

        _time.Advance(TimeSpan.FromTicks(1));
        Assert.False(document.IsFresh(_time));
        Assert.Equal(0, (document with { InitialAge = TimeSpan.FromDays(-1) }).AgeSeconds(_time));
    }

    [Fact]
    public void Document_Cost_IsThatOfItsBytesAndTexts()
    {
        var document = new CachedDocument(new byte[1000], "text/plain", default, default, default, null);

        Assert.Equal(1000, (document with { Body = new byte[2000] }).Cost - document.Cost);
        Assert.Equal(20, (document with { ContentType = "text/plain" + new string('x', 10) }).Cost - document.Cost);
        Assert.True((document with { Upstream = "h" }).Cost > document.Cost);
    }
}

using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Tests.Caching;

/// <summary>RFC 9111, 4.2: lifetime and age.</summary>
public sealed class FreshnessTests
{
    [Theory]
    [InlineData("Cache-Control: max-age=60", 200, 60)]
    [InlineData("Cache-Control: max-age=60, s-maxage=5", 200, 5)]
    [InlineData("Cache-Control: s-maxage=x, max-age=60", 200, 0)]
    [InlineData("Cache-Control: max-age=x|Expires: {+60}", 200, 0)]
    [InlineData("Cache-Control: max-age=60|Expires: {-60}", 200, 60)]
    [InlineData("Expires: {+60}", 200, 60)]
    [InlineData("Expires: {-60}", 200, 0)]
    [InlineData("Expires: 0", 200, 0)]
    [InlineData("Expires: {+60}|Expires: {+70}", 200, 0)]
    [InlineData("Expires: {+60}|Date: {-40}", 200, 100)]
    [InlineData("CDN-Cache-Control: max-age=7|Cache-Control: max-age=60", 200, 7)]
    [InlineData("CDN-Cache-Control: max-age=oops|Cache-Control: max-age=60", 200, 60)]
    [InlineData("Last-Modified: {-1000}", 200, 100)]
    [InlineData("Last-Modified: {-1000}", 206, 100)]
    [InlineData("Last-Modified: {-1000}", 201, 0)]
    [InlineData("Last-Modified: {-1000}", 301, 0)]
    [InlineData("Last-Modified: {-1000}|Cache-Control: public", 599, 60)]
    [InlineData("Last-Modified: {-100000000}", 200, 86400)]
    [InlineData("Last-Modified: {-100000000}|Content-Type: application/pkix-crl", 200, 3600)]
    [InlineData("Last-Modified: {+1000}", 200, 0)]
    [InlineData("Last-Modified: {-100000}", 404, 60)]
    [InlineData("Cache-Control: max-age=100000", 404, 60)]
    [InlineData("Cache-Control: max-age=100000", 503, 60)]
    [InlineData("Cache-Control: max-age=100000", 302, 3600)]
    [InlineData("X: y", 200, 0)]
    public void Lifetime_OfAnAnswer_IsWhatItSaysWithinTheCaps(string fields, int status, double seconds) =>
        Assert.Equal(seconds, Freshness.Lifetime(Headers.Stored(fields, status), CachingRule.Default, Headers.Now).TotalSeconds);

    [Fact]
    public void Lifetime_ByRule_ChangesOnlyWhatTheAnswerDoesNotSay()
    {
        CachingRule rule = CachingRule.Default with
        {
            MinFresh = TimeSpan.FromSeconds(30),
            HeuristicShare = 0.5,
            MaxFresh = TimeSpan.FromSeconds(200)
        };

        Assert.Equal(30, Freshness.Lifetime(Headers.Stored("X: y"), rule, Headers.Now).TotalSeconds);
        Assert.Equal(50, Freshness.Lifetime(Headers.Stored("Last-Modified: {-100}"), rule, Headers.Now).TotalSeconds);
        Assert.Equal(200, Freshness.Lifetime(Headers.Stored("Last-Modified: {-1000}"), rule, Headers.Now).TotalSeconds);
        Assert.Equal(5, Freshness.Lifetime(Headers.Stored("Cache-Control: max-age=5"), rule, Headers.Now).TotalSeconds);
        Assert.Equal(0, Freshness.Lifetime(Headers.Stored("X: y", 404), rule, Headers.Now).TotalSeconds);
        Assert.Equal(30, Freshness.Lifetime(Headers.Stored("Cache-Control: public", 399), rule, Headers.Now).TotalSeconds);
        Assert.Equal(0, Freshness.Lifetime(Headers.Stored("Cache-Control: public", 400), rule, Headers.Now).TotalSeconds);
    }

    [Theory]
    [InlineData("Age: 7", 7)]
    [InlineData("Age: 7, 9", 7)]
    [InlineData("Age: 7|Age: 9", 7)]
    [InlineData("Age: -7", 0)]
    [InlineData("Age: 7.5", 0)]
    [InlineData("Age: seven", 0)]
    [InlineData("Age: 99999999999", CacheDirectives.MaxSeconds)]
    [InlineData("Date: {-30}", 30)]
    [InlineData("Date: {+30}", 0)]
    [InlineData("Date: {-30}|Age: 40", 40)]
    [InlineData("Date: nonsense|Age: 4", 4)]
    public void Age_WhenItCame_IsTheLargestThatItSays(string fields, double seconds) =>
        Assert.Equal(seconds, Freshness.Age(Headers.Stored(fields), Headers.Now).TotalSeconds);

    [Fact]
    public void Age_Later_CountsTheWayAndTheStay()
    {
        StoredHead head = Headers.Stored("Age: 5") with { RequestedAt = Headers.Now.AddSeconds(-3) };

        Assert.Equal(18, Freshness.Age(head, Headers.Now.AddSeconds(10)).TotalSeconds);
        Assert.Equal(8, Freshness.Age(head, Headers.Now.AddSeconds(-100)).TotalSeconds);
    }

    /// <summary>A wall clock that was set back makes nothing younger.</summary>
    [Theory]
    [InlineData(50, 50)]
    [InlineData(5, 10)]
    public void Age_OfWhatIsHereLongerThanTheWallClockSays_IsTheLonger(int hereFor, double seconds) => Assert.Equal(
        seconds,
        Freshness.Age(Headers.Stored("X: y") with { HereFor = TimeSpan.FromSeconds(hereFor) }, Headers.Now.AddSeconds(10)).TotalSeconds);

    [Theory]
    [InlineData(60, 10.5, 49)]
    [InlineData(60, 60, 0)]
    [InlineData(10, 20.5, -11)]
    [InlineData(1e10, 0, CacheDirectives.MaxSeconds)]
    [InlineData(0, 1e10, -CacheDirectives.MaxSeconds)]
    public void SecondsLeft_OfALifetime_AreWholeAndBounded(double lifetime, double age, long left) =>
        Assert.Equal(left, Freshness.SecondsLeft(TimeSpan.FromSeconds(lifetime), TimeSpan.FromSeconds(age)));

    [Theory]
    [InlineData("Last-Modified: {-100000000}|Content-Type: Application/PKIX-CRL ; x=y", 3600)]
    [InlineData("Last-Modified: {-100}|Content-Type: application/pkix-crl", 10)]
    public void Lifetime_OfARevocationList_IsAnHourAtMost(string fields, double seconds)
    {
        Assert.Equal(seconds, Freshness.Lifetime(Headers.Stored(fields), CachingRule.Default, Headers.Now).TotalSeconds);
        CachingRule shorter = CachingRule.Default with { MaxFresh = TimeSpan.FromSeconds(5) };
        Assert.Equal(5, Freshness.Lifetime(Headers.Stored(fields), shorter, Headers.Now).TotalSeconds);
    }

    [Fact]
    public void AgeAndLifetime_OfAnything_AreNeverNegative()
    {
        var random = new Random(20);
        string[] lines =
        [
            "Age: -5", "Age: 9999999999", "Date: {-99999}", "Date: {+99999}", "Expires: {-5}", "Expires: {+5}", "Expires: x",
                "Last-Modified: {-77}",
            "Last-Modified: {+77}", "Cache-Control: max-age=-5", "Cache-Control: max-age=5", "Cache-Control: public",
                "CDN-Cache-Control: max-age=-3",
        ];
        for (int round = 0; round < 5_000; round++)
        {
            string fields = string.Join('|', Enumerable.Range(0, random.Next(5)).Select(_ => lines[random.Next(lines.Length)]));
            StoredHead head = Headers.Stored(fields, random.Next(200, 600))
                with
            { RequestedAt = Headers.Now.AddSeconds(random.Next(-50, 50)) };
            DateTimeOffset now = Headers.Now.AddSeconds(random.Next(-1000, 100000));

            Assert.True(Freshness.Age(head, now) >= TimeSpan.Zero, fields);
            Assert.True(Freshness.Lifetime(head, CachingRule.Default, now) >= TimeSpan.Zero, fields);
        }
    }
}

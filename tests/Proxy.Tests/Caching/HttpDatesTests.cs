using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Tests.Caching;

/// <summary>RFC 9110, 5.6.7: three forms of a date.</summary>
public sealed class HttpDatesTests
{
    private static readonly DateTimeOffset s_date = new(1994, 11, 6, 8, 49, 37, TimeSpan.Zero);

    [Theory]
    [InlineData("Sun, 06 Nov 1994 08:49:37 GMT")]
    [InlineData("sun, 06 nOV 1994 08:49:37 gmt")]
    [InlineData("Sunday, 06-Nov-94 08:49:37 GMT")]
    [InlineData("Sun Nov  6 08:49:37 1994")]
    [InlineData("Sun Nov 06 08:49:37 1994")]
    public void Parse_EachForm_IsTheDate(string text) => Assert.Equal(s_date, HttpDates.Parse(text, Headers.Now));

    [Theory]
    [InlineData("Wednesday, 09-Nov-94 08:49:37 GMT", "1994-11-09T08:49:37Z")]
    [InlineData("Sat, 31 Dec 1994 23:59:59 GMT", "1994-12-31T23:59:59Z")]
    [InlineData("Sat, 31 Dec 1994 23:59:60 GMT", "1994-12-31T23:59:59Z")]
    [InlineData("Sat, 01 Jan 0001 00:00:00 GMT", "0001-01-01T00:00:00Z")]
    [InlineData("Thu, 29 Feb 1996 00:00:00 GMT", "1996-02-29T00:00:00Z")]
    public void Parse_DateAtABound_IsTaken(string text, string expected) =>
        Assert.Equal(DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture),
            HttpDates.Parse(text, Headers.Now));

    [Theory]
    [InlineData("Sun, 06 Nov 1994 08:49:61 GMT")]
    [InlineData("Sun, 06 Nov 1994 08:60:37 GMT")]
    [InlineData("Sun, 00 Nov 1994 08:49:37 GMT")]
    [InlineData("Sun, 31 Nov 1994 08:49:37 GMT")]
    [InlineData("Sun, 06 Nox 1994 08:49:37 GMT")]
    [InlineData("Son, 06 Nov 1994 08:49:37 GMT")]
    [InlineData("Sunx 06 Nov 1994 08:49:37 GMT")]
    [InlineData("Sun,, 06 Nov 1994 08:49:37 GMT")]
    [InlineData("Sunday 06-Nov-94 08:49:37 GMT")]
    [InlineData("Sonday, 06-Nov-94 08:49:37 GMT")]
    [InlineData("Sunday, 06-Nov-94 08:49:37 UTC")]
    [InlineData("Sunday, 06-Nov-094 08:49:37 GMT")]
    [InlineData("Sunday, 06.Nov.94 08:49:37 GMT")]
    [InlineData("Son Nov  6 08:49:37 1994")]
    [InlineData("Sun Nov  06 08:49:37 1994")]
    [InlineData("Sun Nov x6 08:49:37 1994")]
    [InlineData("Son Nov 06 08:49:37 1994")]
    [InlineData("Sun, 06 Nov 1994 08:49 GMT:37")]
    public void Parse_NearlyADate_IsNone(string text) => Assert.Null(HttpDates.Parse(text, Headers.Now));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("Sun, 06 Nov 1994 08:49:37")]
    [InlineData("Sun, 06 Nov 1994 08:49:37 UTC")]
    [InlineData("Sun, 06 Nov 1994 08:49:37 +0000")]
    [InlineData("Sun, 6 Nov 1994 08:49:37 GMT")]
    [InlineData("Sun, 06 Nov 94 08:49:37 GMT")]
    [InlineData("Sun 06 Nov 1994 08:49:37 GMT")]
    [InlineData("Sun, 06-Nov-1994 08:49:37 GMT")]
    [InlineData("Sun, 06 Nov 1994 8:49:37 GMT")]
    [InlineData("Sun, 06 Nov 1994 08.49.37 GMT")]
    [InlineData("Sun, 31 Feb 1994 08:49:37 GMT")]
    [InlineData("Sun, 06 Nov 1994 24:49:37 GMT")]
    [InlineData("Sun, 06 Nov 1994  08:49:37 GMT")]
    [InlineData(" Sun, 06 Nov 1994 08:49:37 GMT")]
    [InlineData("Sun, 06 Nov 0000 08:49:37 GMT")]
    public void Parse_AnythingElse_IsNoDate(string? text) => Assert.Null(HttpDates.Parse(text, Headers.Now));

    [Theory]
    [InlineData("Friday, 01-Jan-76 00:00:00 GMT", 2076)]
    [InlineData("Friday, 01-Jan-77 00:00:00 GMT", 1977)]
    public void Parse_YearOfTwoDigits_IsAtMostFiftyYearsAhead(string text, int year) =>
        Assert.Equal(year, HttpDates.Parse(text, Headers.Now)!.Value.Year);

    [Fact]
    public void Format_AndParse_AgreeForEverySecond()
    {
        var random = new Random(20);
        for (int round = 0; round < 2_000; round++)
        {
            var date = DateTimeOffset.FromUnixTimeSeconds(random.NextInt64(0, 4_000_000_000));

            Assert.Equal(date, HttpDates.Parse(HttpDates.Format(date), Headers.Now));
        }
    }

    [Fact]
    public void Parse_ManyMutations_NeverThrows()
    {
        var random = new Random(21);
        string[] forms = ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"];
        for (int round = 0; round < 20_000; round++)
        {
            char[] text = forms[round % 3].ToCharArray();
            text[random.Next(text.Length)] = (char)random.Next(0x20, 0x7f);
            text[random.Next(text.Length)] = (char)random.Next(0x20, 0x7f);

            _ = HttpDates.Parse(new string(text), Headers.Now);
        }
    }
}

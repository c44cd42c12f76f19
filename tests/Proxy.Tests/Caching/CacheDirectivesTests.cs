using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Tests.Caching;

/// <summary>RFC 9111, 5.2: a tolerant list of directives.</summary>
public sealed class CacheDirectivesTests
{
    [Theory]
    [InlineData("max-age=60", 60L)]
    [InlineData("MAX-AGE=60", 60L)]
    [InlineData("max-age=\"60\"", 60L)]
    [InlineData("max-age=0060", 60L)]
    [InlineData("max-age=99999999999999999999", CacheDirectives.MaxSeconds)]
    [InlineData("a=\"x, max-age=5\", max-age=60", 60L)]
    [InlineData("max-age=60, max-age=5", 5L)]
    [InlineData("max-age=5, max-age=60", 5L)]
    [InlineData("max-age=-1", null)]
    [InlineData("max-age=60.5", null)]
    [InlineData("max-age='60'", null)]
    [InlineData("max-age=60s", null)]
    [InlineData("max-age", null)]
    [InlineData("max-age=60, max-age=x", null)]
    [InlineData("max-age = 60", null)]
    [InlineData("a=\"\\\"max-age=5\", max-age=60", 60L)]
    public void Seconds_OfAField_AreTheStrictest(string text, long? seconds) =>
        Assert.Equal(seconds, CacheDirectives.Parse(text).Seconds("max-age"));

    [Theory]
    [InlineData("no-store")]
    [InlineData(", ,no-store,")]
    [InlineData("max-age=abc, no-store")]
    [InlineData("what is this, no-store")]
    [InlineData("\"quoted, nonsense\", no-store")]
    [InlineData("a=\"b\"c, no-store")]
    [InlineData("NO-STORE=1")]
    [InlineData("@@@, no-store")]
    public void NoStore_BesideNonsense_IsSeen(string text) => Assert.True(CacheDirectives.Parse(text).Has("no-store"));

    [Theory]
    [InlineData("a=\"no-store\"")]
    [InlineData("x-no-store")]
    [InlineData("no-storee")]
    [InlineData("a=\"no-store, b")]
    public void NoStore_InsideSomethingElse_IsNotSeen(string text) => Assert.False(CacheDirectives.Parse(text).Has("no-store"));

    [Theory]
    [InlineData("no-cache", true, null)]
    [InlineData("no-cache=\"\"", true, "")]
    [InlineData("no-cache=\"a\"", false, "a")]
    [InlineData("no-cache=\"a\", no-cache=b", false, "a,b")]
    [InlineData("no-cache=\"a\", no-cache", true, null)]
    [InlineData("no-cache, no-cache=\"a\"", true, null)]
    public void NoCache_WithAndWithoutNames_MeansTheStricter(string text, bool isBare, string? names)
    {
        var directives = CacheDirectives.Parse(text);

        Assert.Equal((isBare, names), (directives.IsBare("no-cache"), directives.Argument("no-cache")));
    }

    [Fact]
    public void Parse_AnyText_ReturnsAndKeepsANoStoreOfItsOwn()
    {
        var random = new Random(20);
        const string letters = "ano-store=\"\\, \t;x1\u00e9\0";
        for (int round = 0; round < 20_000; round++)
        {
            string noise = new([.. Enumerable.Range(0, random.Next(24)).Select(_ => letters[random.Next(letters.Length)])]);
            _ = CacheDirectives.Parse(noise);
            if (!noise.Contains('"', StringComparison.Ordinal))
            {
                Assert.True(CacheDirectives.Parse($"{noise},no-store").Has("no-store"), noise);
            }

            Assert.True(CacheDirectives.Parse($"no-store,{noise}").Has("no-store"), noise);
        }
    }
}

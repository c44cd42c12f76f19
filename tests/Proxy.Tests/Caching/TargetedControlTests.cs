using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Tests.Caching;

/// <summary>RFC 9213 on RFC 8941: a dictionary that is valid as a whole or ignored as a whole.</summary>
public sealed class TargetedControlTests
{
    [Theory]
    [InlineData("max-age=60", 60)]
    [InlineData("max-age=60, no-store=?0", 60)]
    [InlineData("max-age=60;a=1;b=\"x\";c", 60)]
    [InlineData("a=tok/en:1, max-age=60 ,\tb", 60)]
    [InlineData("a=:aGk=:, max-age=60", 60)]
    [InlineData("max-age=5, max-age=60", 60)]
    [InlineData("max-age=-5", 0)]
    [InlineData("a=1.5, max-age=60", 60)]
    [InlineData("max-age=999999999999999", CacheDirectives.MaxSeconds)]
    public void Seconds_OfAValidField_AreSeen(string text, long seconds) =>
        Assert.Equal(seconds, TargetedControl.Parse(text)?.Seconds("max-age"));

    [Theory]
    [InlineData("")]
    [InlineData("max-age=60,")]
    [InlineData("max-age=60 no-store")]
    [InlineData("Max-Age=60")]
    [InlineData("max-age =60")]
    [InlineData("max-age= 60")]
    [InlineData("max-age=\"60\"")]
    [InlineData("max-age=60s")]
    [InlineData("max-age=60.5")]
    [InlineData("max-age")]
    [InlineData("max-age=?1")]
    [InlineData("max-age=1234567890123456")]
    [InlineData("a=\"x, max-age=60")]
    [InlineData("a=\"\\x\", max-age=60")]
    [InlineData("a=?2, max-age=60")]
    [InlineData("a=:aGk=, max-age=60")]
    [InlineData("a=(1 2), max-age=60x")]
    [InlineData(",max-age=60")]
    public void Parse_InvalidField_IsIgnoredAsAWhole(string text) => Assert.Null(TargetedControl.Parse(text));

    [Fact]
    public void Has_FalseMember_IsAbsent()
    {
        TargetedControl control = TargetedControl.Parse("no-store=?0, private")!;

        Assert.Equal((false, true, false), (control.Has("no-store"), control.Has("private"), control.Has("public")));
    }

    [Fact]
    public void Parse_AnyText_Returns()
    {
        var random = new Random(20);
        const string letters = "max-age=60,;\"\\?:()* \t.A1";
        for (int round = 0; round < 30_000; round++)
        {
            _ = TargetedControl.Parse(new string([.. Enumerable.Range(0, random.Next(24)).Select(_ =>
                letters[random.Next(letters.Length)])]));
        }
    }
}

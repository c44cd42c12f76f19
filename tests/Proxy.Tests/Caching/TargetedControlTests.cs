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
    [InlineData("a=123456789012.123, max-age=60", 60)]
    [InlineData("a=-1.5;b=?0;c=:aGk=:;d=tok, max-age=60", 60)]
    [InlineData("a=\"\\\"\\\\\", max-age=60", 60)]
    [InlineData("a=\" ~\", max-age=60", 60)]
    [InlineData("a=\"\", max-age=60", 60)]
    [InlineData("a=::, max-age=60", 60)]
    [InlineData("a=*T/x:y, max-age=60", 60)]
    [InlineData("*a_-.*9, max-age=60", 60)]
    [InlineData("  max-age=60 \t", 60)]
    [InlineData("max-age=60;  a", 60)]
    [InlineData("max-age=000000000000060", 60)]
    [InlineData("max-age=60, max-age=5", 5)]
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
    [InlineData("\tmax-age=60")]
    [InlineData("max-age=60;")]
    [InlineData("max-age=60;=1")]
    [InlineData("max-age=60;a=")]
    [InlineData("max-age=60;A=1")]
    [InlineData("max-age=60;\ta=1")]
    [InlineData("max-age=60;a=(1)")]
    [InlineData("max-age=60 ;a")]
    [InlineData("a=1., max-age=60")]
    [InlineData("a=1.1234, max-age=60")]
    [InlineData("a=1234567890123.1, max-age=60")]
    [InlineData("a=-, max-age=60")]
    [InlineData("a=\"\u001f\", max-age=60")]
    [InlineData("a=\"\u007f\", max-age=60")]
    [InlineData("a=\"\u00e9\", max-age=60")]
    [InlineData("a=\"x\\")]
    [InlineData("a=\"")]
    [InlineData("a=?")]
    [InlineData("a=?x")]
    [InlineData("a=:")]
    [InlineData("a=@, max-age=60")]
    [InlineData("_a, max-age=60")]
    [InlineData("9a, max-age=60")]
    [InlineData("stale-if-error")]
    [InlineData("s-maxage=x")]
    [InlineData("stale-while-revalidate=?0")]
    public void Parse_InvalidField_IsIgnoredAsAWhole(string text) => Assert.Null(TargetedControl.Parse(text));

    [Fact]
    public void Has_FalseMember_IsAbsent()
    {
        TargetedControl control = TargetedControl.Parse("no-store=?0, private, no-cache=?1")!;

        Assert.Equal((false, true, false, true),
            (control.Has("no-store"), control.Has("private"), control.Has("public"), control.Has("no-cache")));
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

using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Tests.Caching;

/// <summary>RFC 9111, 5.2.2, and RFC 9213: what an answer says about keeping it.</summary>
public sealed class ResponsePolicyTests
{
    private static readonly ResponsePolicy s_plain = new();

    public static TheoryData<string, object> Directives => new()
    {
        { "x", s_plain },
        { "no-store", s_plain with { NoStore = true } },
        { "no-cache", s_plain with { NoCache = true } },
        { "private", s_plain with { IsPrivate = true } },
        { "public", s_plain with { IsPublic = true } },
        { "must-understand", s_plain with { MustUnderstand = true } },
        { "must-revalidate", s_plain with { MustRevalidate = true, NeverStale = true } },
        { "proxy-revalidate", s_plain with { NeverStale = true } },
        { "max-age=7", s_plain with { MaxAge = 7 } },
        { "s-maxage=5, max-age=7", s_plain with { MaxAge = 5, HasSharedMaxAge = true, NeverStale = true } },
        { "max-age=7, s-maxage=9", s_plain with { MaxAge = 9, HasSharedMaxAge = true, NeverStale = true } },
        { "stale-while-revalidate=3", s_plain with { StaleWhileRevalidate = 3 } },
        { "stale-if-error=4", s_plain with { StaleIfError = 4 } },
    };

    [Theory]
    [MemberData(nameof(Directives))]
    public void Of_OneDirective_SaysThatAlone(string text, object expected)
    {
        ResponsePolicy ordinary = ResponsePolicy.Of(Headers.Of($"Cache-Control: {text}"));
        Assert.Empty(ordinary.Omitted);
        Assert.Equal(expected, ordinary with { Omitted = s_plain.Omitted });

        ResponsePolicy targeted = ResponsePolicy.Of(Headers.Of($"CDN-Cache-Control: {text}", "Cache-Control: no-store, public"));
        Assert.Equal((ResponsePolicy)expected with { IsTargeted = true }, targeted with { Omitted = s_plain.Omitted });
    }

    [Theory]
    [InlineData("max-age=x", 0L)]
    [InlineData("s-maxage", 0L)]
    [InlineData("public", null)]
    public void Of_LifetimeThatIsNoNumber_IsZero(string text, long? seconds) =>
        Assert.Equal(seconds, ResponsePolicy.Of(Headers.Of($"Cache-Control: {text}")).MaxAge);

    [Theory]
    [InlineData("no-cache=\"A, b\", private=c", "a|b|c")]
    [InlineData("no-cache=\"\"", "")]
    [InlineData("no-cache", "")]
    public void Of_DirectivesThatNameFields_OmitsThem(string text, string omitted) =>
        Assert.Equal(omitted, string.Join('|', ResponsePolicy.Of(Headers.Of($"Cache-Control: {text}")).Omitted));
}

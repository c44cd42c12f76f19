using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Tests.Caching;

/// <summary>RFC 9111, 4 and 5.2.1; RFC 5861: what a stored answer may be used for.</summary>
public sealed class ReuseTests
{
    [Theory]
    [InlineData("Cache-Control: max-age=60", "", 59, Verdict.Fresh)]
    [InlineData("Cache-Control: max-age=60", "", 60, Verdict.Validate)]
    [InlineData("Cache-Control: max-age=60, no-cache", "", 0, Verdict.Validate)]
    [InlineData("Cache-Control: max-age=60, no-cache=\"a\"", "", 0, Verdict.Fresh)]
    [InlineData("Cache-Control: max-age=60", "Cache-Control: no-cache", 0, Verdict.Validate)]
    [InlineData("Cache-Control: max-age=60", "Cache-Control: no-store", 0, Verdict.Validate)]
    [InlineData("Cache-Control: max-age=60", "Pragma: no-cache", 0, Verdict.Validate)]
    [InlineData("Cache-Control: max-age=60", "Pragma: no-cache|Cache-Control: x", 0, Verdict.Fresh)]
    [InlineData("Cache-Control: max-age=60", "Pragma: foo", 0, Verdict.Fresh)]
    [InlineData("Cache-Control: max-age=60", "Cache-Control: max-age=5", 6, Verdict.Validate)]
    [InlineData("Cache-Control: max-age=60", "Cache-Control: max-age=5", 5, Verdict.Fresh)]
    [InlineData("Cache-Control: max-age=60", "Cache-Control: max-age=0", 1, Verdict.Validate)]
    [InlineData("Cache-Control: max-age=60", "Cache-Control: min-fresh=20", 40, Verdict.Fresh)]
    [InlineData("Cache-Control: max-age=60", "Cache-Control: min-fresh=20", 41, Verdict.Validate)]
    [InlineData("Cache-Control: max-age=60", "Cache-Control: max-stale", 1000, Verdict.StaleAllowed)]
    [InlineData("Cache-Control: max-age=60", "Cache-Control: max-stale=10", 70, Verdict.StaleAllowed)]
    [InlineData("Cache-Control: max-age=60", "Cache-Control: max-stale=10", 71, Verdict.Validate)]
    [InlineData("Cache-Control: max-age=60, must-revalidate", "Cache-Control: max-stale", 61, Verdict.Validate)]
    [InlineData("Cache-Control: max-age=60, proxy-revalidate", "Cache-Control: max-stale", 61, Verdict.Validate)]
    [InlineData("Cache-Control: s-maxage=60", "Cache-Control: max-stale", 61, Verdict.Validate)]
    [InlineData("Cache-Control: max-age=60, stale-while-revalidate=10", "", 69, Verdict.StaleWhileRevalidate)]
    [InlineData("Cache-Control: max-age=60, stale-while-revalidate=10", "", 70, Verdict.Validate)]
    [InlineData("Cache-Control: s-maxage=60, stale-while-revalidate=10", "", 65, Verdict.Validate)]
    [InlineData("Cache-Control: max-age=60, stale-while-revalidate=10", "Cache-Control: no-cache", 65, Verdict.Validate)]
    [InlineData("Cache-Control: max-age=60, stale-while-revalidate=10", "Cache-Control: max-age=5", 65, Verdict.Validate)]
    public void Judge_ByFieldsAndAge_AsTheStandardSays(string answer, string request, int age, object verdict) =>
        Assert.Equal((Verdict)verdict, Reuse.Judge(Headers.Stored(answer), Headers.OfText(request), CachingRule.Default,
            Headers.Now.AddSeconds(age)));

    [Theory]
    [InlineData("Cache-Control: max-age=60", "", 3600, true)]
    [InlineData("Cache-Control: max-age=60", "", 60 + 86400, true)]
    [InlineData("Cache-Control: max-age=60", "", 61 + 86400, false)]
    [InlineData("Cache-Control: max-age=60, stale-if-error=5", "", 65, true)]
    [InlineData("Cache-Control: max-age=60, stale-if-error=5", "", 66, false)]
    [InlineData("Cache-Control: max-age=60, stale-if-error=1", "", 65, false)]
    [InlineData("Cache-Control: max-age=60, must-revalidate, stale-if-error=50", "", 65, false)]
    [InlineData("Cache-Control: max-age=60, proxy-revalidate", "", 65, false)]
    [InlineData("Cache-Control: s-maxage=60", "", 65, false)]
    [InlineData("Cache-Control: no-cache", "", 1, false)]
    [InlineData("Cache-Control: max-age=60", "Cache-Control: no-cache", 65, false)]
    public void MayServeOnError_ByFieldsAndAge_AsTheStandardSays(string answer, string request, int age, bool may) =>
        Assert.Equal(
            may, Reuse.MayServeOnError(Headers.Stored(answer), Headers.OfText(request), CachingRule.Default, Headers.Now.AddSeconds(age)));

    [Fact]
    public void MayServeOnError_RuleSaysNever_IsNever() => Assert.False(Reuse.MayServeOnError(
        Headers.Stored("Cache-Control: max-age=60"), Headers.Of(), CachingRule.Default
            with
        { StaleIfError = TimeSpan.Zero }, Headers.Now.AddSeconds(60)));
}

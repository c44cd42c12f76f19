using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Tests.Caching;

/// <summary>RFC 9111, 3: what may be stored.</summary>
public sealed class StorabilityTests
{
    [Theory]
    [InlineData("", "", 200, true)]
    [InlineData("", "", 201, false)]
    [InlineData("", "Cache-Control: max-age=5", 201, true)]
    [InlineData("", "Cache-Control: public", 201, true)]
    [InlineData("", "Expires: {+5}", 599, true)]
    [InlineData("", "Cache-Control: max-age=5", 304, false)]
    [InlineData("", "Cache-Control: max-age=5", 103, false)]
    [InlineData("", "Cache-Control: no-store", 200, false)]
    [InlineData("", "Cache-Control: max-age=oops, no-store", 200, false)]
    [InlineData("", "Cache-Control: private", 200, false)]
    [InlineData("", "Cache-Control: private=\"x\"", 200, true)]
    [InlineData("", "Cache-Control: no-store, must-understand", 200, true)]
    [InlineData("", "Cache-Control: no-store, must-understand, max-age=5", 599, false)]
    [InlineData("", "CDN-Cache-Control: max-age=5|Cache-Control: no-store", 200, true)]
    [InlineData("", "CDN-Cache-Control: no-store|Cache-Control: max-age=5", 200, false)]
    [InlineData("", "CDN-Cache-Control: no-store, x=|Cache-Control: max-age=5", 200, true)]
    [InlineData("Cache-Control: no-store", "Cache-Control: max-age=5", 200, false)]
    [InlineData("Authorization: x", "Cache-Control: max-age=5", 200, false)]
    [InlineData("Authorization: x", "Cache-Control: max-age=5, public", 200, true)]
    [InlineData("Authorization: x", "Cache-Control: max-age=5, must-revalidate", 200, true)]
    [InlineData("Authorization: x", "Cache-Control: s-maxage=5", 200, true)]
    [InlineData("Authorization: x", "Cache-Control: max-age=5, proxy-revalidate", 200, false)]
    [InlineData("", "Vary: *", 200, false)]
    [InlineData("", "Vary: a, *", 200, false)]
    [InlineData("", "Vary: a|Vary: *", 200, false)]
    [InlineData("", "Vary: a", 200, true)]
    [InlineData("", "Set-Cookie: a=b", 200, false)]
    [InlineData("", "Set-Cookie: a=b|Cache-Control: public", 200, false)]
    [InlineData("", "Set-Cookie: a=b|Cache-Control: max-age=5", 200, true)]
    [InlineData("", "Location: /x", 301, false)]
    [InlineData("", "Location: /x|Cache-Control: public", 307, false)]
    [InlineData("", "Location: /x|Cache-Control: max-age=5", 307, true)]
    [InlineData("", "Last-Modified: {-500}", 502, false)]
    [InlineData("", "Last-Modified: {-500}", 404, true)]
    public void MayStore_ByFieldsAndStatus_AsTheStandardSays(string request, string answer, int status, bool mayStore) =>
        Assert.Equal(mayStore, Storability.MayStore(Headers.OfText(request), status, Headers.OfText(answer), CachingRule.Default));

    [Fact]
    public void MayStore_RuleSaysNo_IsNo() =>
        Assert.False(Storability.MayStore(Headers.Of(), 200, Headers.OfText("Cache-Control: max-age=5"), CachingRule.Default
            with
        { Store = false }));

    [Fact]
    public void MayStore_NoStoreAnywhere_IsNeverTrue()
    {
        var random = new Random(20);
        string[] members = ["public", "max-age=60", "s-maxage=60", "must-revalidate", "x", "max-age=oops", "foo=\"bar\"",
            "stale-if-error=5"];
        for (int round = 0; round < 5_000; round++)
        {
            List<string> list = [.. Enumerable.Range(0, random.Next(5)).Select(_ => members[random.Next(members.Length)])];
            list.Insert(random.Next(list.Count + 1), random.Next(2) == 0 ? "no-store" : "No-Store");
            string[] lines = [.. list.Select(member => $"Cache-Control: {member}")];
            HeaderFields answer = random.Next(2) == 0 ? Headers.Of(lines) : Headers.Of($"Cache-Control: {string.Join(", ", list)}");

            Assert.False(Storability.MayStore(Headers.Of(), random.Next(200, 600), answer, CachingRule.Default));
            Assert.False(Storability.MayStore(answer, 200, Headers.Of("Cache-Control: max-age=60"), CachingRule.Default));
        }
    }

    [Fact]
    public void Kept_OfAnAnswer_LacksTheConnectionsFieldsAndThoseItForbids()
    {
        HeaderFields answer = Headers.Of(
            "Connection: a, close", "a: 1", "b: 2", "c: 3", "d: 4", "Keep-Alive: x", "Transfer-Encoding: chunked", "Proxy-Authenticate: y",
            "Cache-Control: no-cache=\"b\", private=\"C\"");

        Assert.Equal(["d", "Cache-Control"], Storability.Kept(answer, ResponsePolicy.Of(answer)).Select(line => line.Key));
        HeaderFields one = Headers.Of("a: 1", "b: 2", "Cache-Control: private=\"a\"");
        Assert.Equal(["b", "Cache-Control"], Storability.Kept(one, ResponsePolicy.Of(one)).Select(line => line.Key));
    }
}

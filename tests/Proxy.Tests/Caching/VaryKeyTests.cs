using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Tests.Caching;

/// <summary>RFC 9111, 4.1: which requests get the same answer.</summary>
public sealed class VaryKeyTests
{
    [Theory]
    [InlineData("", "a: 1", "a: 2", true)]
    [InlineData("Vary: a", "a: 1", "a: 1", true)]
    [InlineData("Vary: a", "a: 1", "a: 2", false)]
    [InlineData("Vary: A", "a: 1", "A: 1", true)]
    [InlineData("Vary: a", "a: 1", "", false)]
    [InlineData("Vary: a", "", "", true)]
    [InlineData("Vary: a", "", "a: 1", false)]
    [InlineData("Vary: a", "", "a:", false)]
    [InlineData("Vary: a, b", "a: 1|b: 2", "b: 2|a: 1", true)]
    [InlineData("Vary: a|Vary: b", "a: 1|b: 2", "a: 1|b: 3", false)]
    [InlineData("Vary: a", "a: 1, 2", "a: 1|a: 2", true)]
    [InlineData("Vary: a", "a: 1,2", "a: 1 ,  2", true)]
    [InlineData("Vary: a", "a: 1, 2", "a: 2, 1", false)]
    [InlineData("Vary: a", "a: x", "a: X", false)]
    [InlineData("Vary: Accept-Encoding", "Accept-Encoding: gzip, br", "Accept-Encoding: BR,gzip", true)]
    [InlineData("Vary: Accept-Encoding", "Accept-Encoding: gzip", "Accept-Encoding: gzip;q=0", false)]
    [InlineData("Vary: Accept-Language", "Accept-Language: en, de", "Accept-Language: DE, en", true)]
    [InlineData("Vary: Accept-Language|Content-Language: de", "Accept-Language: de", "Accept-Language: de, en;q=0.5", true)]
    [InlineData("Vary: Accept-Language|Content-Language: de", "Accept-Language: de", "Accept-Language: en, de;q=0.5", false)]
    [InlineData("Vary: Accept-Language|Content-Language: de", "Accept-Language: de", "Accept-Language: en, de", false)]
    [InlineData("Vary: Accept-Language|Content-Language: de", "Accept-Language: de", "Accept-Language: de;q=0", false)]
    [InlineData("Vary: Accept-Language|Content-Language: de", "Accept-Language: de", "Accept-Language: de;q=0.5, ;q=0.4", true)]
    [InlineData("Vary: Accept-Language", "Accept-Language: de", "Accept-Language: en", false)] // it does not say in which it is
    public void Matches_ByTheNamedFields_AsTheStandardSays(string answer, string first, string second, bool matches) =>
        Assert.Equal(matches, VaryKey.Matches(Headers.Stored(answer, request: first), Headers.OfText(second)));

    /// <summary>What a client makes long costs it, not the loops and the others: it is compared as it is.</summary>
    [Theory]
    [InlineData(200, true)]
    [InlineData(6000, false)]
    public void Matches_ValueLongerThanAnybodySends_IsNotTakenApart(int members, bool isTakenApart)
    {
        string asked = string.Join(',', Enumerable.Repeat("de", members));
        StoredHead head = Headers.Stored("Vary: Accept-Language|Content-Language: de", request: $"Accept-Language: {asked}");

        Assert.True(VaryKey.Matches(head, Headers.OfText($"Accept-Language: {asked}")));
        string spaced = asked.Replace(",", ", ", StringComparison.Ordinal);
        Assert.Equal(isTakenApart, VaryKey.Matches(head, Headers.OfText($"Accept-Language: {spaced}")));
    }

    [Theory]
    [InlineData(1023, true)]
    [InlineData(1024, false)]
    public void Matches_ValueAtTheLongest_IsTakenApartUpToIt(int length, bool isTakenApart)
    {
        string asked = new string('x', length - 2) + ",y";
        StoredHead head = Headers.Stored("Vary: a", request: $"a: {asked}");

        Assert.Equal(isTakenApart, VaryKey.Matches(head, Headers.Of($"a: {asked.Replace(",", ", ", StringComparison.Ordinal)}")));
    }

    [Fact]
    public void NamesAll_MoreNamesThanCanBeCompared_IsAsGoodAsAll()
    {
        Assert.False(VaryKey.NamesAll(Headers.OfText($"Vary: {string.Join(',', Enumerable.Range(0, 32).Select(i => $"n{i}"))}")));
        Assert.True(VaryKey.NamesAll(Headers.OfText($"Vary: {string.Join(',', Enumerable.Range(0, 33).Select(i => $"n{i}"))}")));
    }

    [Theory]
    [InlineData("X-Forwarded-Host: evil.example")]
    [InlineData("X-Original-URL: /admin")]
    [InlineData("X-HTTP-Method-Override: POST")]
    [InlineData("Forwarded: host=evil.example")]
    public void Matches_FieldThatServersObeyUnnamed_KeepsItsSenderApart(string field)
    {
        StoredHead poisoned = Headers.Stored("Cache-Control: max-age=60", request: field);

        Assert.False(VaryKey.Matches(poisoned, Headers.Of()));
        Assert.True(VaryKey.Matches(poisoned, Headers.Of(field)));
        Assert.NotEqual(VaryKey.NameOf(null, Headers.Of()), VaryKey.NameOf(null, Headers.Of(field)));
    }

    [Fact]
    public void With_ManyVariants_KeepsTheNewestSixteen()
    {
        var document = new HeadDocument([]);
        for (int i = 0; i < 40; i++)
        {
            document = document.With(Headers.Stored("Vary: a", request: $"a: {i}"));
        }

        Assert.Equal(HeadDocument.MaxVariants, document.Variants.Count);
        Assert.NotNull(document.Find(Headers.Of("a: 39")));
        Assert.Null(document.Find(Headers.Of("a: 1")));
    }
}

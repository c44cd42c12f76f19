using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Tests.Caching;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>Heads that are kept, what tells generations of bodies apart, and which URIs a change makes useless.</summary>
public sealed class KeptHeadTests
{
    private static readonly ExternalFile s_file =
        new(new RepositoryRoute(Fqrn.Parse("a.example.org"), "stratum1"), "/cvmfs/a.example.org/x", null);

    [Fact]
    public void Of_Whole_HasItsFieldsAndTimes()
    {
        using FetchedAnswer answer = Answers.Of("ETag: \"a\"|Content-Length: 7|Vary: a|Connection: x|x: 1", 404);

        StoredHead head = KeptHead.Of(Answers.Exchange(fields: "a: 1"), answer, isPart: false, 7, "\"a\"");

        Assert.Equal(["ETag", "Content-Length", "Vary"], head.Fields.Select(field => field.Key));
        Assert.Equal((404, answer.Reason, 7L, null), (head.Status, head.Reason, head.Length, head.Source));
        Assert.Equal((Headers.Now, Headers.Now.AddSeconds(1)), (head.RequestedAt, head.ReceivedAt));
        Assert.Equal(new KeyValuePair<string, string?>("a", "1"), Assert.Single(head.VaryValues));
    }

    [Fact]
    public void Of_Part_IsTheHeadOfTheWhole()
    {
        using FetchedAnswer answer = Answers.Of("ETag: \"a\"|Content-Length: 7|Content-Range: bytes 0-6/9", 206);

        StoredHead head = KeptHead.Of(Answers.Exchange(), answer, isPart: true, 9, "\"a\"");

        Assert.Equal(["ETag"], head.Fields.Select(field => field.Key));
        Assert.Equal((200, null, 9L), (head.Status, head.Reason, head.Length));
    }

    [Fact]
    public void Of_Body_OfOneGenerationHasOneName()
    {
        using FetchedAnswer answer = Answers.Of("ETag: \"a\"");
        byte[] Name(long? length, string? generation, Exchange exchange) =>
            KeptHead.Of(exchange, answer, isPart: false, length, generation).BodyId;
        Exchange plain = Answers.Exchange();

        Assert.Empty(Name(0, "\"a\"", plain));
        Assert.Equal(Name(7, "\"a\"", plain), Name(7, "\"a\"", plain));
        Assert.NotEqual(Name(7, "\"a\"", plain), Name(8, "\"a\"", plain));
        Assert.NotEqual(Name(7, "\"a\"", plain), Name(7, "\"b\"", plain));
        foreach ((long? length, string? generation, Exchange exchange) in (ReadOnlySpan<(long?, string?, Exchange)>)
        [
            (null, "\"a\"", plain), (7, null, plain), (7, "\"a\"", Answers.Exchange(fields: "Cache-Control: no-cache", external: s_file)),
        ])
        {
            Assert.NotEqual(Name(length, generation, exchange), Name(length, generation, exchange));
        }
    }

    [Fact]
    public void Of_ExternalFile_RemembersWhoSentIt()
    {
        using FetchedAnswer answer = Answers.Of("ETag: \"a\"");

        Assert.Equal("o.example.org:80", KeptHead.Of(Answers.Exchange(external: s_file), answer, isPart: false, 7, null).Source);
    }

    [Theory]
    [InlineData("ETag: \"a\"|Last-Modified: x", "If-None-Match: \"a\"|If-Modified-Since: x")]
    [InlineData("ETag: \"a\"", "If-None-Match: \"a\"")]
    [InlineData("Last-Modified: x", "If-Modified-Since: x")]
    [InlineData("Last-Modified: x|Last-Modified: y", "")]
    public void AddValidators_OfWhatIsStored_TakeThePlaceOfTheClients(string stored, string asked)
    {
        HeaderFields ask = Headers.Of(asked.Contains("None", StringComparison.Ordinal) ? "If-None-Match: \"client\"" : "");

        KeptHead.AddValidators(ask, Headers.Stored(stored));

        Assert.Equal(asked, string.Join('|', ask.Select(field => $"{field.Key}: {field.Value}")));
    }

    [Theory]
    [InlineData("ETag: \"a\"|Last-Modified: x", "\"a\"", "\"a\" x")]
    [InlineData("ETag: \"a\"", "\"a\"", "\"a\" ")]
    [InlineData("ETag: W/\"a\"", null, null)]
    [InlineData("X: y", null, null)]
    public void Generation_OfAnAnswer_IsNamedByItsValidatorAndOfAnExternalFileByAll(string answer, string? plain, string? external)
    {
        Assert.Equal(plain, Generation.NameOf(Answers.Exchange(), Headers.OfText(answer), Headers.Now));
        Assert.Equal(external, Generation.NameOf(Answers.Exchange(external: s_file), Headers.OfText(answer), Headers.Now));
    }

    [Theory]
    [InlineData("ETag: \"a\"|Last-Modified: x", 200, 10L, true)]
    [InlineData("ETag: \"a\"|Last-Modified: x", 200, 11L, false)]
    [InlineData("ETag: \"a\"|Last-Modified: x", 200, null, false)]
    [InlineData("ETag: \"b\"|Last-Modified: x", 200, 10L, false)]
    [InlineData("ETag: \"a\"|Last-Modified: y", 200, 10L, false)]
    [InlineData("ETag: \"a\"", 200, 10L, false)]
    [InlineData("ETag: \"a\"|Last-Modified: x|Content-Range: bytes 0-2/10", 206, 3L, true)]
    [InlineData("ETag: \"a\"|Last-Modified: x|Content-Range: bytes 0-2/11", 206, 3L, false)]
    [InlineData("ETag: \"a\"|Last-Modified: x", 206, 10L, false)]
    public void Generation_OfAnotherStratum1_IsTheSameWhereAllAgrees(string fields, int status, long? length, bool isSame)
    {
        using FetchedAnswer answer = Answers.Of(fields, status, length);

        Assert.Equal(isSame, Generation.IsSame(Headers.Stored("ETag: \"a\"|Last-Modified: x"), answer));
    }

    [Theory]
    [InlineData("X: y", true)]
    [InlineData("ETag: \"b\"", true)]
    [InlineData("Last-Modified: x", true)]
    [InlineData("Last-Modified: y", false)]
    public void Generation_OfA304_IsTheStoredOneUnlessItSaysOtherwise(string fields, bool mayBe) =>
        Assert.Equal(mayBe, Generation.MayBe(Headers.Stored("ETag: \"a\"|Last-Modified: x"), Headers.OfText(fields)));

    [Theory]
    [InlineData("", "")]
    [InlineData("Location: /y", "http://o.example.org/y")]
    [InlineData("Location: y?z", "http://o.example.org/a/y?z")]
    [InlineData("Location: http://O.example.org/y|Content-Location: /z", "http://o.example.org/y http://o.example.org/z")]
    [InlineData("Location: /a/x", "")]
    [InlineData("Location: http://mirror.example.org:8080/y", "http://o.example.org/y")]
    [InlineData("Location: http://o.example.org:81/y", "")]
    [InlineData("Location: http://other.example.org/y", "")]
    [InlineData("Location: mailto:a@o.example.org", "")]
    [InlineData("Location: /y|Location: /z", "")]
    public void Invalidation_OfAChange_IsOfItselfAndWhatItNamesOfItsHost(string answer, string others)
    {
        var target = new ExchangeTarget("http://o.example.org/a/x",
            [new Uri("http://o.example.org/a/x"), new Uri("http://mirror.example.org:8080/a/x")], "o.example.org", IsConfigured: false);

        Assert.Equal($"http://o.example.org/a/x {others}".TrimEnd(), string.Join(' ', Invalidation.Of(target, Headers.OfText(answer))));
        var site = target with { Uri = "site:http://o.example.org/a/x" };
        Assert.Equal(
            $"site:http://o.example.org/a/x {others.Replace("http:", "site:http:", StringComparison.Ordinal)}".TrimEnd(),
            string.Join(' ', Invalidation.Of(site, Headers.OfText(answer))));
    }

    [Theory]
    [InlineData("Content-Location: /x", true)]
    [InlineData("Content-Location: /y", false)]
    [InlineData("Location: /x", false)]
    public void Invalidation_AnswerOfItself_SaysSo(string answer, bool isOfItself) =>
        Assert.Equal(isOfItself, Invalidation.IsOfItself(Answers.Exchange().Target, Headers.OfText(answer)));

    [Fact]
    public void BodyNames_AreToldApartByEachThingThatTellsBodiesApart()
    {
        KeyValuePair<string, string?>[] vary = [new("a", "1")];
        byte[] name = BodyNames.Of("u", vary, "v", 7);

        Assert.Equal(name, BodyNames.Of("u", [new("a", "1")], "v", 7));
        Assert.Equal(20, name.Length);
        Assert.Equal(6, new[]
        {
            name, BodyNames.Of("w", vary, "v", 7), BodyNames.Of("u", [], "v", 7), BodyNames.Of("u", vary, "w", 7),
            BodyNames.Of("u", vary, "v", 8), BodyNames.Of("uv", vary, "", 7),
        }.Select(one => Convert.ToHexString(one)).Distinct().Count());
        Assert.Equal(20, BodyNames.Random().Length);
        Assert.NotEqual(BodyNames.Random(), BodyNames.Random());
        Assert.Equal([1, 2, 3], BodyNames.Of([1, 2, 3])[..3]);
        Assert.NotEqual(BodyNames.Of([1, 2, 3]), BodyNames.Of([1, 2, 3]));
    }

    [Theory]
    [InlineData("", true, true)]
    [InlineData("Authorization: x", false, false)]
    [InlineData("Cookie: x", true, false)]
    [InlineData("Cache-Control: no-store", false, false)]
    [InlineData("Cache-Control: no-cache", false, false)]
    [InlineData("If-Match: x", false, false)]
    [InlineData("If-Unmodified-Since: x", false, false)]
    [InlineData("Range: bytes=0-1", true, true)]
    [InlineData("Range: bytes=0-1,3-4", false, false)]
    public void Exchange_ThatShowsNothingOfItsClient_MayBeShared(string fields, bool mayShare, bool mayAskNodes)
    {
        Exchange exchange = Answers.Exchange(fields: fields);

        Assert.Equal((mayShare, mayAskNodes), (exchange.MayShare, exchange.MayAskNodes));
        Assert.False((exchange with { Method = "HEAD" }).MayShare);
        Assert.False((exchange with { Rule = CachingRule.Default with { Join = false } }).MayShare);
        Assert.False((exchange with { Rule = CachingRule.Default with { Store = false } }).MayShare);
        Assert.False((exchange with { Target = exchange.Target with { IsForNode = true } }).MayAskNodes);
        Assert.False((exchange with { External = s_file }).MayAskNodes);
    }

    [Fact]
    public void Exchange_OfACernVmFsClientThatGotWrongBytes_IsAskedAnewAndShared()
    {
        Exchange anew = Answers.Exchange(fields: "Cache-Control: no-cache", external: s_file);

        Assert.Equal((true, true), (anew.IsAnew, anew.MayShare));
        Assert.False((anew with { Method = "HEAD" }).IsAnew);
        Assert.False(Answers.Exchange(external: s_file).IsAnew);
        Assert.False(Answers.Exchange(fields: "Cache-Control: no-cache").IsAnew);
    }

    [Fact]
    public void Exchange_FieldsToAskWith_AreWithoutWhatTheClientAloneKnows()
    {
        Exchange exchange = Answers.Exchange(fields: "Range: bytes=0-1|If-None-Match: a|If-Modified-Since: b|If-Match: c|"
            + "If-Unmodified-Since: d|If-Range: e|X-Forwarded-For: f|A: g");

        Assert.Equal(["X-Forwarded-For", "A"], exchange.WithoutConditions().Select(field => field.Key));
        Assert.Equal(["A"], exchange.ForEverybody().Select(field => field.Key));
        Assert.Equal(8, exchange.Fields.Count);
    }
}

using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Tests.Caching;

/// <summary>RFC 9110, 13 and 14; RFC 9111, 4.3: conditions, ranges, freshening.</summary>
public sealed class ConditionsTests
{
    [Theory]
    [InlineData("ETag: \"a\"", "If-None-Match: \"a\"", true)]
    [InlineData("ETag: \"a\"", "If-None-Match: \"b\", \"a\"", true)]
    [InlineData("ETag: \"a\"", "If-None-Match: \"b\",\"a\"", true)]
    [InlineData("ETag: \"a\"", "If-None-Match: ,, \"a\" ,", true)]
    [InlineData("ETag: \"a\"", "If-None-Match: \"b\"|If-None-Match: \"a\"", true)]
    [InlineData("ETag: \"a,b\"", "If-None-Match: \"x\", \"a,b\"", true)]
    [InlineData("ETag: W/\"a\"", "If-None-Match: \"a\"", true)]
    [InlineData("ETag: \"a\"", "If-None-Match: W/\"a\"", true)]
    [InlineData("ETag: \"a\"", "If-None-Match: *", true)]
    [InlineData("X: y", "If-None-Match: *", true)]
    [InlineData("X: y", "If-None-Match: \"a\"", false)]
    [InlineData("ETag: \"a\"", "If-None-Match: \"A\"", false)]
    [InlineData("ETag: \"a\"|Last-Modified: {-50}", "If-None-Match: \"b\"|If-Modified-Since: {+0}", false)]
    [InlineData("Last-Modified: {-50}", "If-Modified-Since: {-50}", true)]
    [InlineData("Last-Modified: {-50}", "If-Modified-Since: {-51}", false)]
    [InlineData("Last-Modified: {-50}", "If-Modified-Since: nonsense", false)]
    [InlineData("X: y", "If-Modified-Since: {+0}", true)]
    [InlineData("X: y", "If-Modified-Since: {-1}", false)]
    [InlineData("ETag: \"a\"", "", false)]
    public void IsNotModified_ByValidators_AsTheStandardSays(string answer, string request, bool isNotModified) =>
        Assert.Equal(isNotModified, Conditions.IsNotModified(Headers.Stored(answer), Headers.OfText(request), Headers.Now));

    [Theory]
    [InlineData("Range: bytes=2-4", 206, 2, 3L)]
    [InlineData("Range: bytes=2-", 206, 2, 8L)]
    [InlineData("Range: bytes=-3", 206, 7, 3L)]
    [InlineData("Range: bytes=0-99", 206, 0, 10L)]
    [InlineData("Range: bytes=10-", 416, 0, 0L)]
    [InlineData("Range: bytes=-0", 416, 0, 0L)]
    [InlineData("Range: bytes=0-1, 3-4", 200, 0, 10L)]
    [InlineData("Range: lines=1-2", 200, 0, 10L)]
    [InlineData("Range: bytes=2-4|Range: bytes=2-4", 200, 0, 10L)]
    [InlineData("Range: bytes=2-4|If-Range: \"a\"", 206, 2, 3L)]
    [InlineData("Range: bytes=2-4|If-Range: \"b\"", 200, 0, 10L)]
    [InlineData("Range: bytes=2-4|If-Range: W/\"a\"", 200, 0, 10L)]
    [InlineData("Range: bytes=2-4|If-Range: {-500}", 206, 2, 3L)]
    [InlineData("Range: bytes=2-4|If-Range: {-400}", 200, 0, 10L)]
    [InlineData("Range: bytes=2-4|If-None-Match: \"a\"", 304, 0, 0L)]
    [InlineData("", 200, 0, 10L)]
    public void Shape_OfAStoredAnswer_IsWhatTheRequestGets(string request, int status, long offset, long? count) => Assert.Equal(
        new AnswerShape(status, offset, count),
        AnswerShape.Of(Headers.Stored("ETag: \"a\"|Last-Modified: {-500}"), Headers.OfText(request), Headers.Now));

    [Fact]
    public void Shape_OfAnErrorOrAnUnknownLength_IsTheWhole()
    {
        Assert.Equal(404, AnswerShape.Of(Headers.Stored("X: y", 404), Headers.Of("Range: bytes=0-1"), Headers.Now).Status);
        Assert.Equal(
            new AnswerShape(200, 0, null),
            AnswerShape.Of(Headers.Stored("X: y") with { Length = null }, Headers.Of("Range: bytes=0-1"), Headers.Now));
    }

    [Theory]
    [InlineData("bytes 0-4/10", 0, 4, 10L)]
    [InlineData("Bytes 0-0/1", 0, 0, 1L)]
    [InlineData("bytes 3-9/*", 3, 9, null)]
    [InlineData("bytes 0-4/999999999999999999", 0, 4, 999999999999999999L)]
    public void ContentRange_ThatCanBe_IsParsed(string text, long first, long last, long? total) =>
        Assert.Equal(new ContentRange(first, last, total), ContentRange.Parse(text));

    [Theory]
    [InlineData(null)]
    [InlineData("bytes */10")]
    [InlineData("bytes 4-3/10")]
    [InlineData("bytes 0-10/10")]
    [InlineData("bytes 0-4")]
    [InlineData("bytes -4/10")]
    [InlineData("bytes 0-/10")]
    [InlineData("bytes=0-4/10")]
    [InlineData("lines 0-4/10")]
    [InlineData("bytes 0-4/10x")]
    [InlineData("bytes 0-4/99999999999999999999")]
    [InlineData("bytes 0-4/1000000000000000000")]
    [InlineData("bytes 0/1-2")]
    [InlineData("bytes 5-5/5")]
    public void ContentRange_ThatCannotBe_IsNone(string? text) => Assert.Null(ContentRange.Parse(text));

    [Theory]
    [InlineData("ETag: \"a\"", "\"a\"")]
    [InlineData("ETag: W/\"a\"|Last-Modified: {-500}", null)]
    [InlineData("ETag: a", null)]
    [InlineData("ETag: \"", null)]
    [InlineData("ETag: \"\"", "\"\"")]
    [InlineData("ETag: a\"", null)]
    [InlineData("ETag: abcd\"", null)]
    [InlineData("ETag: W/\"", null)]
    [InlineData("ETag: \"a", null)]
    [InlineData("Last-Modified: nonsense", null)]
    [InlineData("ETag: \"a\"|ETag: \"b\"", null)]
    [InlineData("X: y", null)]
    public void Strong_Validator_IsAStrongTag(string answer, string? validator) =>
        Assert.Equal(validator, Validators.Strong(Headers.Stored(answer).Fields, Headers.Now));

    [Theory]
    [InlineData("ETag: \"a\"", true)]
    [InlineData("Last-Modified: {-50}", true)]
    [InlineData("ETag: \"a\"|Last-Modified: {-50}", true)]
    [InlineData("X: y", false)]
    public void HasAny_Validator_IsEither(string answer, bool expected) =>
        Assert.Equal(expected, Validators.HasAny(Headers.OfText(answer)));

    [Fact]
    public void Strong_LastModified_IsStrongAfterAMinute()
    {
        Assert.NotNull(Validators.Strong(Headers.Stored("Last-Modified: {-60}").Fields, Headers.Now));
        Assert.Null(Validators.Strong(Headers.Stored("Last-Modified: {-59}").Fields, Headers.Now));
    }

    [Fact]
    public void Update_By304_ReplacesAllLinesOfAFieldButThoseOfTheBody()
    {
        StoredHead old = Headers.Stored("ETag: \"a\"|X: 1|X: 2|Y: 3|Age: 9|Content-Type: text/plain|Content-Length: 10");
        HeaderFields notModified = Headers.Of("X: 4", "X: 5", "ETag: \"b\"", "Content-Type: text/html", "Content-Length: 0",
            "Connection: z", "z: 1");

        StoredHead updated = Freshening.Update(old, notModified, Headers.Now, Headers.Now.AddSeconds(1));

        Assert.Equal(
            ["Content-Length: 10", "Content-Type: text/plain", "Date: " + HttpDates.Format(Headers.Now), "ETag: \"a\"", "X: 4", "X: 5",
                "Y: 3"],
            updated.Fields.Select(line => $"{line.Key}: {line.Value}").Order(StringComparer.Ordinal));
        Assert.Equal(Headers.Now.AddSeconds(1), updated.ReceivedAt);
    }

    [Fact]
    public void HeadDocument_EncodedAndDecoded_IsTheSame()
    {
        StoredHead head = Headers.Stored("ETag: \"\u00e9\"|X: 1|X: 2|Vary: a, b", 404, "a: 1") with { Reason = "Nö", Source = "s1:80" };

        HeadDocument decoded = HeadDocument.Decode(new HeadDocument([head, head]).Encode())!;

        Assert.Equal(2, decoded.Variants.Count);
        StoredHead back = decoded.Variants[1];
        Assert.Equal(head.Fields, back.Fields);
        Assert.Equal(head.VaryValues, back.VaryValues);
        Assert.Equal("s1:80", back.Source);
        Assert.Equal(
            (head.Status, head.Reason, head.Length, head.ReceivedAt, head.RequestedAt, Convert.ToHexString(head.BodyId)),
            (back.Status, back.Reason, back.Length, back.ReceivedAt, back.RequestedAt, Convert.ToHexString(back.BodyId)));
    }

    [Fact]
    public void HeadDocument_OfAVersionBeforeSources_IsReadWithoutThem()
    {
        byte[] stored = new HeadDocument([Headers.Stored("ETag: \"a\""), Headers.Stored("ETag: \"b\"")]).Encode();

        HeadDocument before = HeadDocument.Decode(stored.AsMemory(..^2))!; // two empty sources, a byte each

        Assert.Equal(["\"a\"", "\"b\""], before.Variants.Select(head => head.Fields.Only("ETag")));
        Assert.All(before.Variants, head => Assert.Null(head.Source));
    }

    [Fact]
    public void HeadDocument_DamagedAnyhow_IsNoneOrADocument()
    {
        var random = new Random(20);
        byte[] whole = new HeadDocument([Headers.Stored("ETag: \"a\"|Vary: a", request: "a: 1")]).Encode();
        for (int round = 0; round < 5_000; round++)
        {
            byte[] damaged = [.. whole.Take(random.Next(whole.Length + 1))];
            if (damaged.Length > 0)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            _ = HeadDocument.Decode(damaged);
        }
    }
}

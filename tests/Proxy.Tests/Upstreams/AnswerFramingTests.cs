using System.Net;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Tests.Upstreams;

/// <summary>Heads that say in two ways where their body ends, or say something else than what was asked.</summary>
public sealed class AnswerFramingTests
{
    [Theory]
    [InlineData(null)]
    [InlineData(null, "Content-Length: 5")]
    [InlineData(null, "Content-Length: 0")]
    [InlineData(null, "Transfer-Encoding: chunked")]
    [InlineData(null, "Transfer-Encoding: Chunked ")]
    [InlineData("lengths", "Content-Length: x")]
    [InlineData("lengths", "Content-Length: +5")]
    [InlineData("lengths", "Content-Length: 5", "Content-Length: 6")]
    [InlineData("lengths", "Content-Length: -5")]
    [InlineData("transfer coding", "Transfer-Encoding: gzip")]
    [InlineData("transfer coding", "Transfer-Encoding: gzip, chunked")]
    [InlineData("transfer coding", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked")]
    [InlineData("a length and chunks", "Transfer-Encoding: chunked", "Content-Length: 5")]
    public void FaultOf_LengthsAndCodings_AreClearOrNot(string? fault, params string[] fields)
    {
        using HttpResponseMessage message = Answer(200, fields);

        string? found = AnswerFraming.FaultOf(message);

        Assert.Equal(fault is null, found is null);
        Assert.Contains(fault ?? "", found ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(200, 56, false)]
    [InlineData(200, 57, true)]
    [InlineData(256, 0, false)]
    [InlineData(257, 0, true)]
    [InlineData(0, 257, true)]
    public void FaultOf_MoreFieldsThanAnyAnswerHas_IsToldOfBothKinds(int fields, int ofContent, bool isFault)
    {
        using HttpResponseMessage message =
            Answer(200, [.. Enumerable.Repeat("X-A: b", fields), .. Enumerable.Repeat("Allow: c", ofContent)]);

        Assert.Equal(isFault, AnswerFraming.FaultOf(message) is not null);
    }

    [Theory]
    [InlineData(0, 200, null, 0, 10L, "Content-Length: 10")]
    [InlineData(0, 200, null, 0, null)]
    [InlineData(0, 206, "Status", 0, 5L, "Content-Length: 5", "Content-Range: bytes 0-4/5")]
    [InlineData(5, 206, null, 5, 10L, "Content-Length: 5", "Content-Range: bytes 5-9/10")]
    [InlineData(5, 206, null, 5, 10L, "Content-Range: bytes 5-9/10")]
    [InlineData(5, 206, null, 0, null, "Content-Length: 4", "Content-Range: bytes 5-9/10")]
    [InlineData(5, 206, null, 0, null, "Content-Length: 5", "Content-Range: bytes 4-8/9")]
    [InlineData(5, 206, null, 0, null, "Content-Length: 4", "Content-Range: bytes 5-8/10")]
    [InlineData(5, 206, null, 0, null, "Content-Range: bytes 5-9/*")]
    [InlineData(5, 206, null, 0, null, "Content-Range: lines 5-9/10")]
    [InlineData(5, 206, null, 0, null)]
    [InlineData(5, 416, null, 0, null, "Content-Range: bytes */5")]
    [InlineData(5, 200, null, 0, 10L, "Content-Length: 10")]
    [InlineData(0, 404, "NotFound", 0, null)]
    [InlineData(0, 416, "Refused", 0, null)]
    [InlineData(0, 403, "Refused", 0, null)]
    [InlineData(0, 400, "Refused", 0, null)]
    [InlineData(0, 499, "Refused", 0, null)]
    [InlineData(0, 407, "Status", 0, null)]
    [InlineData(0, 408, "Status", 0, null)]
    [InlineData(0, 429, "Status", 0, null)]
    [InlineData(0, 500, "Status", 0, null)]
    [InlineData(0, 302, "Status", 0, null)]
    [InlineData(0, 204, "Status", 0, null)]
    [InlineData(0, 200, "BadHead", 0, null, "Content-Encoding: gzip")]
    [InlineData(5, 206, "BadHead", 0, null, "Content-Encoding: gzip", "Content-Range: bytes 5-9/10")]
    [InlineData(0, 200, null, 0, null, "Content-Encoding: Identity")]
    public void Judge_AHead_IsAGoodAnswerOrWhoseFaultItIs(int offset, int status, string? fault, long start, long? total,
        params string[] fields)
    {
        using HttpResponseMessage message = Answer(status, fields);
        var question = new ContentQuestion(HttpMethod.Get, "/cvmfs/a.b/x", offset);

        (FailureKind Kind, string What)? judged = question.Judge(message, out long judgedStart, out long? judgedTotal);

        Assert.Equal(fault, judged?.Kind.ToString());
        Assert.True(judged is not null || (start, total) == (judgedStart, judgedTotal), $"{judgedStart} {judgedTotal}");
        Assert.Equal(fault is "Refused" or "Status" ? $"answered {status}" : judged?.What, judged?.What);
    }

    [Fact]
    public void Judge_APartThatNobodyAskedFor_IsAFault()
    {
        using HttpResponseMessage message = Answer(206, "Content-Range: bytes 5-9/10");

        Assert.Equal(FailureKind.Status, new ContentQuestion(HttpMethod.Head, "/x", 5).Judge(message, out _, out _)?.Kind);
    }

    [Fact]
    public void Prepare_AQuestion_SaysFromWhereAndForWhom()
    {
        using var plain = new HttpRequestMessage();
        using var from = new HttpRequestMessage();
        new ContentQuestion(HttpMethod.Get, "/x", 0).Prepare(plain, null!);
        new ContentQuestion(HttpMethod.Get, "/x", 1) { IsOnlyIfHeld = true, Errand = "1 -" }.Prepare(from, null!);

        Assert.Empty(plain.Headers);
        Assert.Equal(("bytes=1-", "only-if-cached", "1 -"),
            (from.Headers.Range?.ToString(), from.Headers.CacheControl?.ToString(), from.Headers.GetValues("Breakwater-Errand").Single()));
    }

    private static HttpResponseMessage Answer(int status, params string[] fields)
    {
        var message = new HttpResponseMessage((HttpStatusCode)status) { Content = new StreamContent(new EndlessStream()) };
        foreach (string[] field in fields.Select(one => one.Split(": ", 2)))
        {
            bool isOfContent = field[0].StartsWith("Content-", StringComparison.Ordinal) || field[0] == "Allow";
            ((System.Net.Http.Headers.HttpHeaders)(isOfContent ? message.Content.Headers : message.Headers))
                .TryAddWithoutValidation(field[0], field[1]);
        }

        return message;
    }

    /// <summary>As a connection is: nobody knows how long it goes on.</summary>
    private sealed class EndlessStream : MemoryStream
    {
        public override bool CanSeek => false;
    }
}

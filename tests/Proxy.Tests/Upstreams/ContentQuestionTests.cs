using System.Net;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Tests.Caching;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Tests.Upstreams;

/// <summary>How an object is asked for from a byte on, and which answers can be gone on with.</summary>
public sealed class ContentQuestionTests
{
    private const string Path = "/cvmfs/a.example.org/data/x";

    [Theory]
    [InlineData(0, null)]
    [InlineData(1, "bytes=1-")]
    [InlineData(70, "bytes=70-")]
    public void Prepare_FromAByteOn_AsksForTheRest(long offset, string? range)
    {
        using var request = new HttpRequestMessage();
        new ContentQuestion(HttpMethod.Get, Path, offset).Prepare(request, null!);

        Assert.Equal(range, request.Headers.Range?.ToString());
        Assert.Null(request.Headers.CacheControl);
        Assert.False(request.Headers.Contains(ContentQuestion.ErrandField));
    }

    [Fact]
    public void Prepare_OfANode_SaysForWhomAndWhetherItMayFetch()
    {
        using var request = new HttpRequestMessage();
        new ContentQuestion(HttpMethod.Get, Path, 0) { IsOnlyIfHeld = true, Errand = "1 10.0.0.1" }.Prepare(request, null!);

        Assert.Equal("only-if-cached", request.Headers.CacheControl?.ToString());
        Assert.Equal("1 10.0.0.1", Assert.Single(request.Headers.GetValues(ContentQuestion.ErrandField)));
    }

    [Theory]
    [InlineData("GET", 0, 200, "Content-Length: 100", 0, 100L)]
    [InlineData("GET", 0, 200, "", 0, null)]
    [InlineData("GET", 10, 200, "Content-Length: 100", 0, 100L)] // all of it
    [InlineData("GET", 10, 206, "Content-Range: bytes 10-99/100|Content-Length: 90", 10, 100L)]
    [InlineData("GET", 10, 206, "Content-Range: bytes 10-99/100", 10, 100L)]
    [InlineData("GET", 99, 206, "Content-Range: bytes 99-99/100|Content-Length: 1", 99, 100L)]
    [InlineData("GET", 10, 206, "Content-Range: bytes 9-99/100", 0, null)]
    [InlineData("GET", 10, 206, "Content-Range: bytes 11-99/100", 0, null)]
    [InlineData("GET", 10, 206, "Content-Range: bytes 10-98/100", 0, null)]
    [InlineData("GET", 10, 206, "Content-Range: bytes 10-99/*", 0, null)]
    [InlineData("GET", 10, 206, "Content-Range: lines 10-99/100", 0, null)]
    [InlineData("GET", 10, 206, "Content-Range: bytes 10-99/100|Content-Length: 89", 0, null)]
    [InlineData("GET", 10, 206, "Content-Range: bytes 10-99/100|Content-Length: 110", 0, null)]
    [InlineData("GET", 10, 206, "", 0, null)]
    [InlineData("GET", 10, 416, "Content-Range: bytes */5", 0, null)]
    public void Judge_AGoodHead_SaysWhereItsBodyBeginsAndHowLongAllIs(
        string method, long offset, int status, string fields, long start, long? total)
    {
        using HttpResponseMessage message = Message(status, fields);

        Assert.Null(new ContentQuestion(new HttpMethod(method), Path, offset).Judge(message, out long begins, out long? length));
        Assert.Equal((start, total), (begins, length));
    }

    [Theory]
    [InlineData("", "answered 502")]
    [InlineData("Proxy-Status: a; error=dns_error", "answered 502 (a; error=dns_error)")]
    [InlineData("Proxy-Status: a|Proxy-Status: b; details=\"x\ty\u00e9\"", "answered 502 (a, b; details=\"xy\")")]
    public void Judge_AnErrorOfAProxy_SaysWhatThatSaysOfIt(string fields, string what)
    {
        using HttpResponseMessage message = Message(502, fields);

        Assert.Equal((FailureKind.Status, what), new ContentQuestion(HttpMethod.Get, Path, 0).Judge(message, out _, out _));
    }

    [Fact]
    public void Judge_AnErrorOfATalkativeProxy_SaysItsBeginning()
    {
        using HttpResponseMessage message = Message(502, "Proxy-Status: " + new string('x', 5000));

        Assert.Equal((FailureKind.Status, $"answered 502 ({new string('x', 300)})"),
            new ContentQuestion(HttpMethod.Get, Path, 0).Judge(message, out _, out _));
    }

    [Theory]
    [InlineData("GET", 0, 206, "", "Status")]
    [InlineData("HEAD", 10, 206, "", "Status")]
    [InlineData("GET", 0, 416, "", "Refused")]
    [InlineData("GET", 10, 404, "", "NotFound")]
    [InlineData("GET", 0, 404, "Content-Encoding: gzip", "NotFound")]
    [InlineData("GET", 0, 200, "Content-Encoding: gzip", "BadHead")]
    [InlineData("GET", 10, 206, "Content-Range: bytes 10-99/100|Content-Encoding: gzip", "BadHead")]
    [InlineData("GET", 0, 403, "", "Refused")]
    [InlineData("GET", 0, 407, "", "Status")]
    [InlineData("GET", 0, 408, "", "Status")]
    [InlineData("GET", 0, 429, "", "Status")]
    [InlineData("GET", 0, 499, "", "Refused")]
    [InlineData("GET", 0, 400, "", "Refused")]
    [InlineData("GET", 0, 399, "", "Status")]
    [InlineData("GET", 0, 500, "", "Status")]
    public void Judge_ABadHead_SaysWhatIsWrong(string method, long offset, int status, string fields, string kind)
    {
        using HttpResponseMessage message = Message(status, fields);

        (FailureKind Kind, string What)? fault = new ContentQuestion(new HttpMethod(method), Path, offset).Judge(message, out _, out _);

        Assert.Equal(kind, fault?.Kind.ToString());
    }

    private static HttpResponseMessage Message(int status, string fields)
    {
        var message = new HttpResponseMessage((HttpStatusCode)status)
        {
            Content = new StreamContent(new System.IO.Pipelines.Pipe().Reader.AsStream()), // of no known length
        };
        foreach ((string name, string value) in Headers.OfText(fields))
        {
            Assert.True(message.Headers.TryAddWithoutValidation(name, value)
                || message.Content.Headers.TryAddWithoutValidation(name, value));
        }

        return message;
    }
}

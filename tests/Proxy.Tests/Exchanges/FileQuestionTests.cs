using System.Net;
using System.Security.Cryptography;
using Breakwater.CacheStore;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Tests.Caching;
using Breakwater.Proxy.Upstreams;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>What a Stratum 1 is asked for a file that no hash names, and which of its answers are good.</summary>
public sealed class FileQuestionTests : IDisposable
{
    private const string Path = "/cvmfs/a.example.org/x";
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler());
    private readonly Stratum1 _upstream;

    public FileQuestionTests() => _upstream = new Stratum1(
        new ClusterState("stratum1"),
        new DestinationState("s1", new DestinationModel(new DestinationConfig { Address = "http://s1.example.org/" })), _client);

    public void Dispose() => _client.Dispose();

    [Theory]
    [InlineData("User-Agent: cvmfs|Accept: */*|If-None-Match: \"a\"|If-Modified-Since: x",
        "User-Agent|Accept|If-None-Match|If-Modified-Since")]
    [InlineData("Cookie: a|X-Forwarded-For: b|Via: c", "")]
    [InlineData("Range: bytes=0-9|If-Range: \"a\"", "Range|If-Range")]
    [InlineData("If-Range: \"a\"", "")]
    [InlineData("Range: lines=0-9|If-Range: \"a\"", "")]
    [InlineData("Cache-Control: no-cache", "Cache-Control")]
    [InlineData("Pragma: no-cache", "Cache-Control")]
    [InlineData("Cache-Control: max-age=0", "")]
    [InlineData("User-Agent: \u00e9|Accept: x", "Accept")]
    public void Prepare_Request_HasWhatMattersAndNothingOfTheClient(string fields, string sent)
    {
        using HttpRequestMessage request = Prepare(new FileQuestion("GET", Path, Headers.OfText(fields), null));

        Assert.Equal(sent, string.Join('|', request.Headers.Select(field => field.Key)));
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("other.example.org", false)]
    [InlineData("S1.example.org", true)]
    [InlineData("s1.example.org:80", true)]
    [InlineData("s1.example.org:8000", false)]
    public void Prepare_Password_GoesToTheHostThatTheClientNamedAlone(string? hint, bool isSent)
    {
        using HttpRequestMessage request = Prepare(new FileQuestion("GET", Path, Headers.Of("Authorization: secret"), hint));

        Assert.Equal(isSent, request.Headers.Contains("Authorization"));
    }

    [Fact]
    public void Prepare_WhatIsWholeAnyway_AsksForNoRange()
    {
        var key = new ObjectKey(SHA1.HashData("x"u8), DigestAlgorithm.Sha1, ObjectKind.Plain);
        foreach (FileQuestion question in (FileQuestion[])
        [
            new("HEAD", Path, Headers.Of("Range: bytes=0-9"), null), new("GET", Path, Headers.Of("Range: bytes=0-9"), null, key),
        ])
        {
            using HttpRequestMessage request = Prepare(question);
            Assert.False(request.Headers.Contains("Range"));
            Assert.True(question.IsPassedThrough);
            Assert.Equal(Path, question.Path);
        }

        Assert.Equal(HttpMethod.Head, new FileQuestion("HEAD", Path, Headers.Of(), null).Method);
        Assert.Equal(HttpMethod.Get, new FileQuestion("GET", Path, Headers.Of(), null).Method);
    }

    [Theory]
    [InlineData("", 200, "", null, "")]
    [InlineData("", 404, "", FailureKind.NotFound, "does not have it")]
    [InlineData("", 403, "", FailureKind.Refused, "answered 403")]
    [InlineData("", 407, "", FailureKind.Status, "answered 407")]
    [InlineData("", 503, "", FailureKind.Status, "answered 503")]
    [InlineData("", 204, "", FailureKind.Status, "answered 204")]
    [InlineData("", 304, "", FailureKind.Status, "answered 304")]
    [InlineData("If-None-Match: \"a\"", 304, "", null, "")]
    [InlineData("If-Modified-Since: x", 304, "", null, "")]
    [InlineData("", 416, "", FailureKind.Refused, "answered 416")]
    [InlineData("Range: bytes=50-", 416, "", FailureKind.NotFound, "has no such range of it")]
    [InlineData("", 200, "Content-Encoding: identity", null, "")]
    [InlineData("", 200, "Content-Encoding: gzip", FailureKind.BadHead, "answered with a content coding that was not asked for")]
    [InlineData("", 200, "ETag: \"\u00e9\"", FailureKind.BadHead, "answered with a field that is no text")]
    [InlineData("", 200, "X: \u00e9", null, "")]
    [InlineData("", 206, "Content-Range: bytes 0-9/10", FailureKind.BadHead, "answered with another range than asked for")]
    [InlineData("Range: bytes=0-9", 200, "", null, "")]
    [InlineData("Range: bytes=0-9", 206, "", FailureKind.BadHead, "answered with another range than asked for")]
    [InlineData("Range: bytes=0-9", 206, "Content-Range: bytes 0-9/20", null, "")]
    [InlineData("Range: bytes=0-9", 206, "Content-Range: bytes 0-9/*", null, "")]
    [InlineData("Range: bytes=0-9", 206, "Content-Range: bytes 0-8/20", FailureKind.BadHead, "answered with another range than asked for")]
    [InlineData("Range: bytes=0-9", 206, "Content-Range: bytes 0-8/9", null, "")]
    [InlineData("Range: bytes=0-9", 206, "Content-Range: bytes 1-9/20", FailureKind.BadHead, "answered with another range than asked for")]
    public void Judge_Answer_IsGoodOrSaysWhatIsWrong(string fields, int status, string answered, object? kind, string what)
    {
        var question = new FileQuestion("GET", Path, Headers.OfText(fields), null);
        using HttpResponseMessage message = Message(status, answered);

        (FailureKind, string)? expected = kind is null ? null : ((FailureKind)kind, what);

        Assert.Equal(expected, question.Judge(message, out _, out _));
    }

    [Theory]
    [InlineData("", 200, "Content-Length: 7", 0, 7L)]
    [InlineData("", 200, "", 0, null)]
    [InlineData("Range: bytes=5-", 206, "Content-Range: bytes 5-9/10", 5, 10L)]
    [InlineData("Range: bytes=5-9", 206, "Content-Range: bytes 5-9/*", 5, null)]
    [InlineData("Range: bytes=-3", 206, "Content-Range: bytes 7-9/10", 7, 10L)]
    [InlineData("Range: bytes=5-", 200, "Content-Length: 10", 0, 10L)]
    public void Judge_GoodAnswer_SaysWhereItBeginsAndHowLongAllIs(string fields, int status, string answered, long start, long? total)
    {
        using HttpResponseMessage message = Message(status, answered);

        Assert.Null(new FileQuestion("GET", Path, Headers.OfText(fields), null).Judge(message, out long begins, out long? length));
        Assert.Equal((start, total), (begins, length));
    }

    [Fact]
    public void Unsatisfied_OfSeveralStratum1s_IsTheFirstOnesLength()
    {
        var question = new FileQuestion("GET", Path, Headers.Of("Range: bytes=50-"), null);
        Assert.Null(question.Unsatisfied);
        foreach (string range in (string[])["Content-Range: bytes */10", "Content-Range: bytes */20"])
        {
            using HttpResponseMessage message = Message(416, range);
            question.Judge(message, out _, out _);
            Assert.Equal("bytes */10", question.Unsatisfied);
        }

        var untold = new FileQuestion("GET", Path, Headers.Of("Range: bytes=50-"), null);
        using HttpResponseMessage silent = Message(416, "");
        untold.Judge(silent, out _, out _);
        Assert.Equal("bytes */*", untold.Unsatisfied);
    }

    [Fact]
    public void Relayed_OfAnAnswer_IsWhatTheClientIsToldLineByLine()
    {
        using HttpResponseMessage message =
            Message(200, "Vary: a|Vary: b|Server: x|ETag: \"a\"|Content-Type: text/plain|Age: 7|Last-Modified: nonsense|Content-Length: 3");

        Assert.Equal(
            [("Content-Type", "text/plain"), ("Last-Modified", "nonsense"), ("ETag", "\"a\""), ("Age", "7"), ("Vary", "a"), ("Vary", "b")],
            FileQuestion.Relayed(message));
    }

    private HttpRequestMessage Prepare(FileQuestion question)
    {
        var request = new HttpRequestMessage(question.Method, "http://s1.example.org" + Path);
        question.Prepare(request, _upstream);
        return request;
    }

    private static HttpResponseMessage Message(int status, string fields)
    {
        var message = new HttpResponseMessage((HttpStatusCode)status)
        {
            Content = new StreamContent(new System.IO.Pipelines.Pipe().Reader.AsStream()),
        };
        foreach ((string name, string value) in Headers.OfText(fields))
        {
            if (!message.Headers.TryAddWithoutValidation(name, value))
            {
                message.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return message;
    }
}

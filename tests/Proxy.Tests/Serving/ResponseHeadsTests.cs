using System.Text;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Settings;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Serving;

/// <summary>Fields of answers, of content and of the proxy's own words.</summary>
public sealed class ResponseHeadsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly DefaultHttpContext _context = new();
    private readonly RequestOutcome _outcome = new() { Result = RequestResult.Miss };
    private readonly ResponseHeads _heads;

    public ResponseHeadsTests()
    {
        _heads = new ResponseHeads(new ProxyOptions { Name = "p" }, _time);
        _context.Request.Method = "GET";
        _context.Response.Body = new MemoryStream();
        _context.Features.Set(_outcome);
    }

    [Theory]
    [InlineData(10L, -1, 0, 200, null, 10L)]
    [InlineData(null, -1, 0, 200, null, null)]
    [InlineData(10L, 0, 1, 206, "bytes 0-0/10", 1L)]
    [InlineData(10L, 3, 7, 206, "bytes 3-9/10", 7L)]
    public void WriteObject_WholeOrInPart_SaysWhichBytes(long? length, long offset, long count, int status, string? range, long? bytes)
    {
        _heads.WriteObject(_context.Response, _outcome, length, offset < 0 ? null : (offset, count));

        IHeaderDictionary fields = _context.Response.Headers;
        Assert.Equal((status, bytes), (_context.Response.StatusCode, _context.Response.ContentLength));
        Assert.Equal(range, (string?)fields["Content-Range"]);
        Assert.Equal(("1.1 p", "p; fwd=uri-miss; stored", "bytes", "0", "application/octet-stream"),
            ((string?)fields["Via"], (string?)fields["Cache-Status"], (string?)fields["Accept-Ranges"], (string?)fields["Age"],
            _context.Response.ContentType));
        Assert.Equal(ResponseHeads.ObjectCacheControl, (string?)fields["Cache-Control"]);
        Assert.Equal(_time.GetTimestamp(), _outcome.AnsweredAt);
    }

    [Fact]
    public void WriteRangeNotSatisfiable_SaysHowLongItIs()
    {
        _heads.WriteRangeNotSatisfiable(_context.Response, _outcome, 10);

        Assert.Equal((416, 0L, "bytes */10"), (_context.Response.StatusCode, _context.Response.ContentLength,
            (string?)_context.Response.Headers["Content-Range"]));
        Assert.Equal("1.1 p", (string?)_context.Response.Headers["Via"]);
    }

    [Theory]
    [InlineData("GET", "403: Not\u00fc here.\n", 17)]
    [InlineData("HEAD", "", 0)]
    public async Task WriteErrorAsync_OfTheProxysOwn_HasABodyUnlessItIsAskedForTheHead(string method, string body, int counted)
    {
        _context.Request.Method = method;

        await _heads.WriteErrorAsync(_context, 403, "Not\u00fc here.", "error=x");

        HttpResponse response = _context.Response;
        Assert.Equal((403, 17L, "text/plain; charset=utf-8"), (response.StatusCode, response.ContentLength, response.ContentType));
        Assert.Equal(("1.1 p", "no-store", "p; error=x"),
            ((string?)response.Headers["Via"], (string?)response.Headers["Cache-Control"], (string?)response.Headers["Proxy-Status"]));
        Assert.Equal(body, Encoding.UTF8.GetString(((MemoryStream)response.Body).ToArray()));
        Assert.Equal(counted, _outcome.BytesSent);
    }

    [Fact]
    public async Task WriteFailureAsync_OfUpstreams_TellsItInOneLineOfAscii()
    {
        _outcome.Result = RequestResult.Failed;
        await _heads.WriteFailureAsync(_context, new UpstreamFailure(FailureKind.Timeout, "s1 \"said\"\r\n\\\u00fc\u007f~ no"), _outcome);

        Assert.Equal(504, _context.Response.StatusCode);
        Assert.Equal("p; error=http_response_timeout; details=\"s1 'said' ~ no\"", (string?)_context.Response.Headers["Proxy-Status"]);
        Assert.Equal("p; fwd=uri-miss; detail=failed", (string?)_context.Response.Headers["Cache-Status"]);
        Assert.False(_context.Response.Headers.ContainsKey("Age"));
        await _heads.WriteErrorAsync(new DefaultHttpContext(), 404, "x"); // nobody counts
    }
}

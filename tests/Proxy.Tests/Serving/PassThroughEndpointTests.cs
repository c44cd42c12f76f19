using System.Text;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Tests.Documents;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;

namespace Breakwater.Proxy.Tests.Serving;

/// <summary>What is for one client alone, below all that listens.</summary>
public sealed class PassThroughEndpointTests : IAsyncLifetime
{
    private const string Path = "/cvmfs/a.example.org/x";
    private static readonly RepositoryRoute s_route = new(Fqrn.Parse("a.example.org"), "test");

    private readonly BuiltDocuments _proxy = new();
    private readonly DefaultHttpContext _context = new();
    private readonly RequestOutcome _outcome = new();

    public Task InitializeAsync()
    {
        _context.Request.Method = "GET";
        _context.Response.Body = new MemoryStream();
        return _proxy.OpenAsync();
    }

    public async Task DisposeAsync() => await _proxy.DisposeAsync();

    [Theory]
    [InlineData("GET", null, 200, null, "0123456789", 10L)]
    [InlineData("GET", "bytes=2-4", 206, "bytes 2-4/10", "234", 3L)]
    [InlineData("GET", "bytes=9-", 206, "bytes 9-9/10", "9", 1L)]
    [InlineData("GET", "bytes=-3", 206, "bytes 7-9/10", "789", 3L)]
    [InlineData("HEAD", "bytes=2-4", 200, null, "", 10L)]
    public async Task Serve_AFile_IsWhatOfItWasAskedFor(
        string method, string? asked, int status, string? range, string body, long length)
    {
        _proxy.Upstream.Put(Path, "0123456789"u8.ToArray());
        _context.Request.Method = method;
        _context.Request.Headers.Range = asked;
        _context.Request.Headers.IfNoneMatch = "\"a\"";
        await ServeAsync();

        HttpResponse response = _context.Response;
        Assert.Equal((status, range, (long?)length, "bytes"), (response.StatusCode, (string?)response.Headers.ContentRange,
            response.ContentLength, (string?)response.Headers.AcceptRanges));
        Assert.Equal(body, Body());
        Assert.Equal((RequestResult.PassedThrough, (long)body.Length, _proxy.Upstream.EndPoint.ToString()),
            (_outcome.Result, _outcome.BytesSent, _outcome.Upstream));
        Assert.Null(Assert.Single(_proxy.Upstream.Requests).Header("If-None-Match")); // nothing is here that could be confirmed
    }

    /// <summary>What all Stratum 1s say, with the length that one of them tells.</summary>
    [Fact]
    public async Task Serve_ARangeThatNoFileHas_IsSaidSo()
    {
        _proxy.Upstream.Put(Path, [1]);
        _proxy.Upstream.Script(Path, new UpstreamBehaviour
        {
            RawAnswer = "HTTP/1.1 416 X\r\nContent-Range: bytes */10\r\nContent-Length: 0\r\n\r\n"u8.ToArray(),
        });
        _context.Request.Headers.Range = "bytes=10-";
        await ServeAsync();

        HttpResponse response = _context.Response;
        Assert.Equal((416, "bytes */10", (long?)0, ""),
            (response.StatusCode, (string?)response.Headers.ContentRange, response.ContentLength, Body()));
    }

    private string Body() => Encoding.ASCII.GetString(((MemoryStream)_context.Response.Body).ToArray());

    private Task ServeAsync() =>
        _proxy.Get<PassThroughEndpoint>().ServeAsync(_context, s_route, Path, null, _outcome).InTimeAsync();
}

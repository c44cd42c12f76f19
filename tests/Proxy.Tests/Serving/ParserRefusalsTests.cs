using System.Diagnostics.Metrics;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Serving;

/// <summary>What a client is told, and what is noted, of a request that no parser takes.</summary>
public sealed class ParserRefusalsTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly RequestRecorder _recorder;
    private readonly ParserRefusals _refusals;
    private readonly Pipe _wire = new();

    public ParserRefusalsTests()
    {
        _recorder = new RequestRecorder(_services.GetRequiredService<IMeterFactory>(), _time) { KeepsRecords = true };
        _refusals = new ParserRefusals(_recorder, new ProxyOptions { Name = "p" }, _time);
    }

    public void Dispose() => _services.Dispose();

    [Fact]
    public void RefuseLateHead_OfALoop_IsAWholeAnswerAndNoted()
    {
        const string Body = "408: The head of the request did not come in time (Proxy:RequestHeadTimeout).\n";

        Assert.Equal(
            "HTTP/1.1 408 Request Timeout\r\nDate: Mon, 01 Jun 2026 12:00:00 GMT\r\nVia: 1.1 p\r\nCache-Control: no-store\r\n"
            + $"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {Body.Length}\r\nConnection: close\r\n\r\n{Body}",
            Encoding.ASCII.GetString(_refusals.RefuseLateHead(IPAddress.Loopback)));
        AssertNoted(RequestMethod.Other, 408, Body.Length, IPAddress.Loopback, null);
    }

    [Theory]
    [InlineData(true, "400: A connection from this address begins with a header")]
    [InlineData(false, "400: The PROXY protocol is taken from")]
    public void RefuseProxyHeader_ThereOrMissing_SaysWhich(bool isWanted, string said)
    {
        string answer = Encoding.ASCII.GetString(_refusals.RefuseProxyHeader(IPAddress.IPv6Loopback, isWanted));

        Assert.StartsWith("HTTP/1.1 400 Bad Request\r\n", answer, StringComparison.Ordinal);
        string body = answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        Assert.StartsWith(said, body, StringComparison.Ordinal);
        AssertNoted(RequestMethod.Other, 400, body.Length, IPAddress.IPv6Loopback, null);
    }

    [Theory]
    [InlineData("GET", "/x", 400, "Get", "/x", "This is no request in the grammar")]
    [InlineData("GET", "", 414, "Get", null, "The URL is longer")]
    [InlineData("POST", "/x", 413, "Other", "/x", "A request for content has no body.")]
    [InlineData("GET", "/x", 431, "Get", "/x", "The header fields are more")]
    [InlineData("GET", "/x", 505, "Get", "/x", "This proxy speaks HTTP/1.1")]
    [InlineData("HEAD", "/x", 400, "Head", "/x", null)]
    public async Task OnNext_WhatKestrelRefuses_IsSaidInItsPlaceAndNoted(string method, string target, int status, string noted,
        string? notedTarget, string? said)
    {
        FeatureCollection features = Features(method, target, new BadHttpRequestException("x", status));

        _refusals.OnNext(new("", features));
        await features.Get<RefusableOutput>()!.WriteAsync("Kestrel's own words"u8.ToArray());

        string answer = await WrittenAsync();
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        string body = answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        Assert.StartsWith(said is null ? "" : $"{status}: {said}", body, StringComparison.Ordinal);
        Assert.Equal(said is null, body.Length == 0);
        Assert.DoesNotContain("Kestrel", answer, StringComparison.Ordinal);
        AssertNoted(Enum.Parse<RequestMethod>(noted), status, body.Length, IPAddress.Loopback, notedTarget);
    }

    [Fact]
    public void OnNext_AnythingElse_IsNothing()
    {
        FeatureCollection begun = Features("GET", "/x", new BadHttpRequestException("x", 400));
        begun.Set<IHttpResponseFeature>(new Response(true));

        _refusals.OnNext(new("", begun));
        _refusals.OnNext(new("", Features("GET", "/x", new IOException())));
        _refusals.OnNext(new("", Features("GET", "/x", null)));
        _refusals.OnNext(new("", "text"));

        Assert.False(_wire.Reader.TryRead(out _));
        Assert.Equal(0, _recorder.TotalOf(static _ => true).Requests);
    }

    [Fact]
    public async Task Output_UntilTheLastWord_IsKestrels()
    {
        var output = new RefusableOutput(_wire.Writer);
        await output.SayBeforeAsync("1"u8.ToArray());
        "2"u8.CopyTo(output.GetSpan(1));
        output.Advance(1);
        "3"u8.CopyTo(output.GetMemory(1).Span);
        output.Advance(1);
        Assert.Equal((true, 2), (output.CanGetUnflushedBytes, output.UnflushedBytes));
        await output.FlushAsync();
        await output.WriteAsync("4"u8.ToArray());
        output.SayInstead("5"u8);
        await output.SayBeforeAsync("6"u8.ToArray());
        "7"u8.CopyTo(output.GetSpan(1));
        output.Advance(1);
        "8"u8.CopyTo(output.GetMemory(1).Span);
        output.Advance(1);
        await output.WriteAsync("9"u8.ToArray());

        Assert.Equal("12345", await WrittenAsync());
    }

    private FeatureCollection Features(string method, string target, Exception? error)
    {
        FeatureCollection features = new();
        features.Set<IHttpRequestFeature>(new HttpRequestFeature { Method = method, RawTarget = target });
        features.Set<IHttpConnectionFeature>(new HttpConnectionFeature { RemoteIpAddress = IPAddress.Loopback });
        features.Set<IBadRequestExceptionFeature>(new Refused(error));
        features.Set(new RefusableOutput(_wire.Writer));
        return features;
    }

    private async Task<string> WrittenAsync()
    {
        await _wire.Writer.CompleteAsync();
        ReadResult read = await _wire.Reader.ReadAsync().InTimeAsync();
        return Encoding.ASCII.GetString(read.Buffer);
    }

    private void AssertNoted(RequestMethod method, int status, int bytes, IPAddress client, string? target)
    {
        List<RequestRecord> records = [];
        _recorder.Drain(records);
        RequestRecord record = Assert.Single(records);
        Assert.Equal((RequestResult.Refused, method, (short)status, (long)bytes, target),
            (record.Result, record.Method, record.Status, record.BytesSent, record.Target));
        Assert.Equal((client, _time.GetTimestamp()), (record.Client, record.AnsweredAt));
    }

    private sealed record Refused(Exception? Error) : IBadRequestExceptionFeature;

    private sealed class Response(bool hasStarted) : HttpResponseFeature
    {
        public override bool HasStarted => hasStarted;
    }
}

using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Pipeline;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Pipeline;

/// <summary>What becomes of a request before it is routed: refused, found to go in circles, left, or met by a fault of ours.</summary>
public sealed class ProxyPipelineTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly FakeTimeProvider _time = new();
    private readonly Drain _drain = new();
    private readonly LogLines<ProxyPipeline> _log = new();
    private readonly RequestRecorder _recorder;
    private readonly DefaultHttpContext _context = new();
    private readonly LoopGuard _loops = new(new ProxyOptions());

    public ProxyPipelineTests()
    {
        _recorder = new RequestRecorder(_services.GetRequiredService<IMeterFactory>(), _time) { KeepsRecords = true };
        _context.Request.Method = "GET";
        _context.Request.Headers.UserAgent = "curl/8";
        _context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = "/cvmfs/x";
        _context.Connection.RemoteIpAddress = IPAddress.Parse("10.0.0.1");
        _context.Connection.Id = "c";
        _context.Response.Body = new MemoryStream();
    }

    public void Dispose()
    {
        _drain.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task Handle_AFaultOfOurs_IsA500ThatSaysSo()
    {
        // A request without a target is none that Kestrel gives.
        _context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = null!;
        _context.Request.Headers["X-Forwarded-For"] = "10.1.2.3";
        _context.Response.Headers.ETag = "of what was begun";

        await HandleAsync();

        Assert.Equal(500, _context.Response.StatusCode);
        Assert.Equal("breakwater; error=proxy_internal_error", (string?)_context.Response.Headers["Proxy-Status"]);
        Assert.StartsWith("500: A fault of this proxy itself", Body(), StringComparison.Ordinal);
        Assert.False(_context.Response.Headers.ContainsKey("ETag"));
        Assert.Single(_log.Faults);
        AssertNoted(RequestResult.Failed, 500);
    }

    [Fact]
    public async Task Handle_AFaultBehindTheHead_CutsTheConnection()
    {
        var life = new Lifetime();
        _context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = null!;
        _context.Request.Headers["X-Forwarded-For"] = "10.1.2.3";
        _context.Features.Set<IHttpResponseFeature>(new Begun());
        _context.Features.Set<IHttpRequestLifetimeFeature>(life);

        await HandleAsync();

        Assert.True(life.IsAborted);
        Assert.Equal("", Body());
        Assert.Equal(_time.GetTimestamp(), AssertNoted(RequestResult.Failed, 200).AnsweredAt); // nobody has noted when it began
    }

    /// <summary>What somebody who traces is told is what the records say.</summary>
    [Fact]
    public async Task Handle_WhileSomebodyTraces_IsASpanThatSaysHowItEnded()
    {
        ActivitySource spans = Telemetry.Spans; // made before anybody listens
        List<Activity> ended = [];
        using var caller = new Activity("caller");
        caller.Start();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => ReferenceEquals(source, spans),
            Sample = (ref ActivityCreationOptions<ActivityContext> made) =>
                made.Parent.TraceId == caller.TraceId ? ActivitySamplingResult.AllData : ActivitySamplingResult.None,
            ActivityStopped = activity => ended.AddRange(activity.TraceId == caller.TraceId ? [activity] : []),
        };
        ActivitySource.AddActivityListener(listener);
        var key = new ObjectKey(SHA1.HashData("x"u8), DigestAlgorithm.Sha1, ObjectKind.Plain);
        _context.Connection.RemoteIpAddress = IPAddress.Parse("192.0.2.7");
        _context.Response.Body = new NotingBody(() =>
        {
            RequestOutcome outcome = _context.Features.GetRequiredFeature<RequestOutcome>();
            (outcome.Fqrn, outcome.Key, outcome.Upstream) = (Fqrn.Parse("a.example.org"), key, "s1.example.org:80");
        });

        await HandleAsync();

        Activity span = Assert.Single(ended);
        Assert.Equal(("request", ActivityKind.Server), (span.OperationName, span.Kind));
        Assert.Equal(
            [
                ("breakwater.object", key.ToString()), ("breakwater.repository", "a.example.org"), ("breakwater.result", "refused"),
                ("http.response.status_code", "403"), ("server.address", "s1.example.org:80"),
            ],
            span.TagObjects.Select(tag => (tag.Key, tag.Value?.ToString())).OrderBy(tag => tag.Key, StringComparer.Ordinal));
    }

    [Fact]
    public async Task Handle_AClientThatMayNot_IsRefusedAndNoted()
    {
        _context.Connection.RemoteIpAddress = IPAddress.Parse("192.0.2.7");

        await HandleAsync();

        Assert.Equal(403, _context.Response.StatusCode);
        Assert.Equal("close", (string?)_context.Response.Headers.Connection);
        RequestRecord record = AssertNoted(RequestResult.Refused, 403);
        Assert.Equal((Body().Length, "/cvmfs/x", "curl/8", "c"), (record.BytesSent, record.Target, record.UserAgent, record.Connection));
        Assert.Equal((RequestMethod.Get, ByteSource.None), (record.Method, record.Source));
    }

    [Fact]
    public async Task Handle_WithoutItsPassword_IsToldHow()
    {
        await HandleAsync(new() { ["alice"] = "secret" });

        Assert.Equal(407, _context.Response.StatusCode);
        Assert.StartsWith("Basic ", (string?)_context.Response.Headers["Proxy-Authenticate"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, null)]
    [InlineData(true, "close")]
    public async Task Handle_WhatHasBeenHereBefore_IsALoopAndTheLastWhileTheProxyStops(bool isStopping, string? connection)
    {
        using var request = new HttpRequestMessage();
        _loops.Sign(request);
        _context.Request.Headers["CDN-Loop"] = request.Headers.NonValidated["CDN-Loop"].ToString();
        if (isStopping)
        {
            _drain.Begin();
        }

        await HandleAsync();

        Assert.Equal((508, "breakwater; error=proxy_loop_detected"),
            (_context.Response.StatusCode, (string?)_context.Response.Headers["Proxy-Status"]));
        Assert.Equal(connection, (string?)_context.Response.Headers.Connection);
        AssertNoted(RequestResult.Refused, 508);
    }

    /// <summary>Not a second request of a client that asks too fast is answered before its time; this one leaves meanwhile.</summary>
    [Fact]
    public async Task Handle_AClientThatLeavesWhileItWaits_HasNoStatus()
    {
        var life = new Lifetime();
        _context.Features.Set<IHttpRequestLifetimeFeature>(life);
        var limits = new ClientLimits(0, 1, _time);
        Assert.True(limits.TryEnter(_context.Connection.RemoteIpAddress!));
        limits.TakeTurn(_context.Connection.RemoteIpAddress!);
        limits.TakeTurn(_context.Connection.RemoteIpAddress!);
        Task handled = HandleAsync(limits: limits);
        life.Abort();

        await handled.InTimeAsync();

        Assert.Equal(0, AssertNoted(RequestResult.ClientGone, 0).AnsweredAt);
        Assert.Empty(_log.Faults);
    }

    [Theory]
    [InlineData("breakwater/1", null)] // another proxy boots nothing
    [InlineData("cvmfs/2", "c")]
    public async Task Handle_OfAClient_IsOfItsConnectionIfItMayBoot(string agent, string? connection)
    {
        _context.Request.Headers.UserAgent = agent;
        _context.Request.Headers["cvmfs-info"] = "/Z\u00c3\u00bcrich";
        _context.Connection.RemoteIpAddress = IPAddress.Parse("192.0.2.7");

        await HandleAsync();

        RequestRecord record = AssertNoted(RequestResult.Refused, 403);
        Assert.Equal((connection, "/Z\u00fcrich"), (record.Connection, record.PathHint));
    }

    /// <summary>A request that waited on a loop before it came here began when the loop had its head.</summary>
    [Theory]
    [InlineData(false, 7, 0)]
    [InlineData(true, 0, 0)]
    [InlineData(true, 7, -7)]
    public async Task Handle_WhatBeganOnALoop_BeganThen(bool isOfALoop, int secondsBefore, int expected)
    {
        _time.Advance(TimeSpan.FromSeconds(100)); // once: nothing waits for it
        long now = _time.GetTimestamp();
        if (isOfALoop)
        {
            var loop = new OfALoop { StartedAt = secondsBefore == 0 ? 0 : now - (secondsBefore * _time.TimestampFrequency) };
            _context.Features.Set<IBegunRequestFeature>(loop);
        }

        _context.Connection.RemoteIpAddress = IPAddress.Parse("192.0.2.7");
        await HandleAsync();

        Assert.Equal(now + (expected * _time.TimestampFrequency), AssertNoted(RequestResult.Refused, 403).StartedAt);
    }

    private Task HandleAsync(Dictionary<string, string>? users = null, ClientLimits? limits = null)
    {
        limits ??= new ClientLimits(0, 0, _time);
        var admission = new Admission(new ClientAccess(["10.0.0.0/8"]), new ProxyUsers(users ?? []), limits, _drain);
        var forwarded = new ForwardedClients(new Balancers([], ["10.0.0.0/8"]), limits);
        RequestRouter router = null!; // none of these requests comes so far
        return new ProxyPipeline(forwarded, admission, _loops, router, new ResponseHeads(new ProxyOptions(), _time), _recorder, _time, _log)
            .HandleAsync(_context);
    }

    private string Body() => Encoding.UTF8.GetString(((MemoryStream)_context.Response.Body).ToArray());

    private RequestRecord AssertNoted(RequestResult result, int status)
    {
        List<RequestRecord> records = [];
        _recorder.Drain(records);
        RequestRecord record = Assert.Single(records);
        Assert.Equal((result, (short)status), (record.Result, record.Status));
        return record;
    }

    private sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        private readonly CancellationTokenSource _aborted = new();

        public bool IsAborted => _aborted.IsCancellationRequested;

        public CancellationToken RequestAborted
        {
            get => _aborted.Token;
            set => throw new NotSupportedException();
        }

        public void Abort() => _aborted.Cancel();
    }

    private sealed class OfALoop : IBegunRequestFeature
    {
        public long StartedAt { get; init; }

        public IAsyncDisposable? TakeWork() => null;

        public long TakeStart() => StartedAt;
    }

    /// <summary>A body at whose first bytes something happens.</summary>
    private sealed class NotingBody(Action atBytes) : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            atBytes();
            return base.WriteAsync(buffer, cancellationToken);
        }
    }

    private sealed class Begun : HttpResponseFeature
    {
        public override bool HasStarted => true;
    }
}

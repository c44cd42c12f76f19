using System.Globalization;
using System.Net;
using System.Text;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;

namespace Breakwater.Proxy.FunctionalTests.Admin;

/// <summary>Metrics and traces arrive at a collector: OTLP by gRPC, over a real HTTP/2 connection.</summary>
public sealed class OtlpTests
{
    private const string Metrics = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    private const string Traces = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

    [Fact]
    public async Task Request_MetricsAndItsSpans_ReachTheCollector()
    {
        await using Collector collector = await Collector.StartAsync();
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(1000).On(upstream);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?> { ["Telemetry:OtlpEndpoint"] = collector.Address, ["Telemetry:TraceShare"] = "1" }, null,
            upstream);

        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);

        await proxy.CountedAsync(1);

        // Its result tells nothing here: it also flushes the Prometheus reader, which gives out only when it is scraped.
        proxy.Services.GetRequiredService<MeterProvider>().ForceFlush();
        string metrics = collector.Received(Metrics);
        Assert.All(["breakwater.requests", "breakwater.upstream.healthy", "service.name", "breakwater"],
            name => Assert.Contains(name, metrics, StringComparison.Ordinal));

        // The client's request, the fetch behind it, and the HTTP client's request to the Stratum 1. A span ends after the client has its
        // bytes.
        foreach (string name
            in (string[])["Breakwater.Proxy", "request", "fetch", "System.Net.Http",
            upstream.EndPoint.Port.ToString(CultureInfo.InvariantCulture)])
        {
            await collector.UntilAsync(Traces, name);
        }
    }

    /// <summary>As much of an OTLP collector as answers <c>Export</c>; messages are kept as they came.</summary>
    private sealed class Collector : IAsyncDisposable
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<string, StringBuilder> _received = []; // guarded by _gate
        private readonly WebApplication _app;
        private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously); // guarded by _gate

        private Collector()
        {
            WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore()
                .ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
            _app = builder.Build();
            _app.Run(ExportAsync);
        }

        public string Address { get; private set; } = "";

        public static async Task<Collector> StartAsync()
        {
            var collector = new Collector();
            await collector._app.StartAsync();
            collector.Address = collector._app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>()
                .Addresses.Single();
            return collector;
        }

        /// <summary>All messages of a method, their strings readable as they are in protobuf; empty when none came.</summary>
        public string Received(string path)
        {
            lock (_gate)
            {
                return _received.TryGetValue(path, out StringBuilder? text) ? text.ToString() : "";
            }
        }

        /// <summary>Waits until a message of this method holds this text.</summary>
        public async Task UntilAsync(string path, string text)
        {
            while (true)
            {
                Task next;
                lock (_gate)
                {
                    if (_received.TryGetValue(path, out StringBuilder? received)
                        && received.ToString().Contains(text, StringComparison.Ordinal))
                    {
                        return;
                    }

                    next = _next.Task;
                }

                await next.WaitAsync(TimeSpan.FromSeconds(60));
            }
        }

        public ValueTask DisposeAsync() => _app.DisposeAsync();

        private async Task ExportAsync(HttpContext context)
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            lock (_gate)
            {
                string path = context.Request.Path;
                if (!_received.TryGetValue(path, out StringBuilder? text))
                {
                    _received[path] = text = new StringBuilder();
                }

                text.Append(Encoding.Latin1.GetString(body.ToArray()));
                _next.SetResult();
                _next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            // An empty message in gRPC's frame, then the status.
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.WriteAsync(new byte[5]);
            context.Response.AppendTrailer("grpc-status", "0");
        }
    }
}

using System.Diagnostics;
using System.Reflection;
using Breakwater.Proxy.Settings;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Breakwater.Proxy.Observability;

/// <summary>Metrics and traces by OpenTelemetry: Prometheus text on the admin port, OTLP by setting.</summary>
internal static class Telemetry
{
    /// <summary>Spans of a request's way: <c>request</c>, <c>fetch</c>; those towards Stratum 1s are the HTTP client's own.</summary>
    public static ActivitySource Spans { get; } = new("Breakwater.Proxy");

    /// <summary>Version of this release.</summary>
    public static string Version { get; } =
        (typeof(Telemetry).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+')[0];

    /// <summary>Registers both.</summary>
    public static void Add(IServiceCollection services, TelemetryOptions options)
    {
        bool pushes = !string.IsNullOrEmpty(options.OtlpEndpoint);
        OpenTelemetry.OpenTelemetryBuilder telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("breakwater", serviceVersion: Version))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter("Breakwater.*", "System.Runtime", "Microsoft.AspNetCore.Server.Kestrel")
                    .AddPrometheusExporter(prometheus => prometheus.ScopeInfoEnabled = false);

                // Gauges whose names end as a histogram's parts do: promtool objects, and nobody needs them.
                foreach (string name in (string[])["dotnet.assembly.count", "dotnet.process.cpu.count", "dotnet.timer.count"])
                {
                    metrics.AddView(name, MetricStreamConfiguration.Drop);
                }

                if (pushes)
                {
                    metrics.AddOtlpExporter(otlp => otlp.Endpoint = new Uri(options.OtlpEndpoint!));
                }
            });
        if (pushes)
        {
            telemetry.WithTracing(traces => traces
                .AddSource(Spans.Name, "System.Net.Http")

                // By the trace's id alone, so that a trace is whole or not there. Asking the parent would drop all: it is ASP.NET Core's
                // own activity, which nobody records, or a client's, whose word decides nothing here.
                .SetSampler(new TraceIdRatioBasedSampler(options.TraceShare))
                .AddOtlpExporter(otlp => otlp.Endpoint = new Uri(options.OtlpEndpoint!)));
        }
    }
}

using Breakwater.CacheStore;

namespace Breakwater.Proxy.Settings;

/// <summary>Section <c>Telemetry</c>: where metrics and traces are pushed, beside <c>/metrics</c> on the admin port.</summary>
internal sealed class TelemetryOptions
{
    /// <summary>
    /// OTLP endpoint (gRPC), such as <c>http://collector:4317</c>. Null or empty, the default: nothing is pushed. The standard
    /// <c>OTEL_…</c> variables apply.
    /// </summary>
    public string? OtlpEndpoint { get; set; }

    /// <summary>
    /// Share of requests that are traced when an endpoint is set, 0 to 1. Default 0.01. Hits answered on the raw path are never traced.
    /// </summary>
    [Between(0, 1)]
    public double TraceShare { get; set; } = 0.01;
}

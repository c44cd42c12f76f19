using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Observability;

/// <summary>Registers this room; access log and SNMP register themselves.</summary>
internal static class ObservabilityRegistration
{
    /// <summary>Counters, records of requests, telemetry, health.</summary>
    public static void AddObservability(this IServiceCollection services, TelemetryOptions telemetry)
    {
        services.AddMetrics();
        services.AddSingleton<ProxyCounters>();
        services.AddSingleton<RequestRecorder>();
        services.AddSingleton<RecordPump>();
        services.AddHostedService(provider => provider.GetRequiredService<RecordPump>());
        services.AddSingleton<IHealthSource>(provider => provider.GetRequiredService<RecordPump>());
        services.AddSingleton<Health>();
        services.AddSingleton<IHealthSource, LifetimeHealth>();
        services.AddSingleton<IHealthSource, CertificateHealth>();
        services.AddSingleton<IHealthSource>(provider => new BackgroundHealth(provider.GetServices<IHostedService>));
        Telemetry.Add(services, telemetry);
    }
}

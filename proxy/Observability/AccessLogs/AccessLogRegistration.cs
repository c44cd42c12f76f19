using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Observability.AccessLogs;

/// <summary>Registers the access log.</summary>
internal static class AccessLogRegistration
{
    /// <summary>The access log, where there is to be one.</summary>
    public static void AddAccessLog(this IServiceCollection services, AccessLogOptions options)
    {
        if (string.IsNullOrEmpty(options.Path))
        {
            return;
        }

        services.AddSingleton(options);
        services.AddSingleton<AccessLog>();
        services.AddSingleton<IRecordSink>(provider => provider.GetRequiredService<AccessLog>());
        services.AddSingleton<IHealthSource>(provider => provider.GetRequiredService<AccessLog>());
    }
}

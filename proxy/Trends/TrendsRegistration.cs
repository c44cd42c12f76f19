namespace Breakwater.Proxy.Trends;

/// <summary>Registers this room.</summary>
internal static class TrendsRegistration
{
    /// <summary>The history of traffic and storms.</summary>
    public static void AddTrends(this IServiceCollection services)
    {
        services.AddSingleton<TrafficHistory>();
        services.AddHostedService(provider => provider.GetRequiredService<TrafficHistory>());
    }
}

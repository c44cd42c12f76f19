using Breakwater.Proxy.Observability;

namespace Breakwater.Proxy.Boots;

/// <summary>Registers this room.</summary>
internal static class BootsRegistration
{
    /// <summary>The timelines of boots.</summary>
    public static void AddBoots(this IServiceCollection services)
    {
        services.AddSingleton<BootTimelines>();
        services.AddSingleton<BootBoard>();
        services.AddSingleton<IRecordSink>(provider => provider.GetRequiredService<BootTimelines>());
    }
}

using Breakwater.Proxy.Settings;
using Breakwater.Proxy.ZeroTouch;

namespace Breakwater.Proxy.Pipeline;

/// <summary>Registers this room.</summary>
internal static class PipelineRegistration
{
    /// <summary>The order of everything for a request that Kestrel carries.</summary>
    public static void AddPipeline(this IServiceCollection services)
    {
        services.AddSingleton<ZeroTouchEndpoint>();
        services.AddReload<BreakwaterSettings>((settings, changed) => settings.ZeroTouch.Take(changed.ZeroTouch));
        services.AddSingleton<ExchangeRouting>();
        services.AddSingleton<ForwardedClients>();
        services.AddSingleton<OrdinaryRequests>();
        services.AddSingleton<RepositoryRequests>();
        services.AddSingleton<RequestRouter>();
        services.AddSingleton<ProxyPipeline>();
    }
}

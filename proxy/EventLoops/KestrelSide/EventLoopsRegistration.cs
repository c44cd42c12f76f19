using Microsoft.AspNetCore.Connections;

namespace Breakwater.Proxy.EventLoops.KestrelSide;

/// <summary>Registers this room.</summary>
internal static class EventLoopsRegistration
{
    /// <summary>Event loops in place of Kestrel's own sockets.</summary>
    public static void AddEventLoops(this IServiceCollection services)
    {
        services.AddSingleton<LoopGroup>();
        services.AddSingleton<TlsEndPoints>();
        services.AddSingleton<IConnectionListenerFactory, LoopTransport>();
    }
}

namespace Breakwater.Proxy.Serving;

/// <summary>Registers this room.</summary>
internal static class ServingRegistration
{
    /// <summary>The ordinary way of an answer.</summary>
    public static void AddServing(this IServiceCollection services)
    {
        services.AddSingleton<CopyCheck>();
        services.AddSingleton<HeadProbe>();
        services.AddSingleton<ResponseHeads>();
        services.AddSingleton<ObjectEndpoint>();
        services.AddSingleton<DocumentEndpoint>();
        services.AddSingleton<PassThroughEndpoint>();
        services.AddSingleton<ExchangeHeads>();
        services.AddSingleton<ReadyHeads>();
        services.AddSingleton<ExchangeEndpoint>();
        services.AddSingleton<TunnelMiddleware>();
        services.AddSingleton<ParserRefusals>();
        services.AddSingleton<ProxyHeaderMiddleware>();
    }
}

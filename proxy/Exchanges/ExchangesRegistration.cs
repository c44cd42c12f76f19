using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Exchanges;

/// <summary>Registers this room.</summary>
internal static class ExchangesRegistration
{
    /// <summary>Ordinary HTTP, cached by the standards.</summary>
    public static void AddExchanges(this IServiceCollection services, HttpOptions http)
    {
        services.AddSingleton(new HttpPolicy(http));
        services.AddReload<HttpPolicy>((policy, changed) => policy.Replace(changed.Http));
        services.AddSingleton<ExchangeCounters>();
        services.AddSingleton(new ExchangeLimits(http.MaxConcurrentFetches));
        services.AddSingleton<Distrust>();
        services.AddSingleton<OriginAsker>();
        services.AddSingleton<NodeAsker>();
        services.AddSingleton<HeadShelf>();
        services.AddSingleton<FlightTable>();
        services.AddSingleton<BodyFeeds>();
        services.AddSingleton<BodyIntake>();
        services.AddSingleton<SharedBodies>();
        services.AddSingleton<OriginFetch>();
        services.AddSingleton<ExchangeCoordinator>();
        services.AddSingleton<ReadyAnswers>();
    }
}

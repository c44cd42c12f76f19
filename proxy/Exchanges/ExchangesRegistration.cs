using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Threading;

namespace Breakwater.Proxy.Exchanges;

/// <summary>Registers this room.</summary>
internal static class ExchangesRegistration
{
    /// <summary>Ordinary HTTP and external files, cached by the standards.</summary>
    public static void AddExchanges(this IServiceCollection services, BreakwaterSettings settings)
    {
        HttpOptions http = settings.Http;
        string[] clusters = [.. settings.Repositories.Values.Select(repository => repository.Cluster).OfType<string>()];
        services.AddSingleton(new HttpPolicy(http));
        services.AddReload<HttpPolicy>((policy, changed) => policy.Replace(changed.Http));
        services.AddSingleton<ExchangeCounters>();
        services.AddSingleton(rooms => new ExchangeLimits(
            http.MaxConcurrentFetches,
            Math.Min(http.MaxConcurrentFetches, rooms.GetRequiredService<ConnectionBudget>().PassedThrough),
            clusters));
        services.AddSingleton<Distrust>();
        services.AddSingleton<OriginAsker>();
        services.AddSingleton<NodeAsker>();
        services.AddSingleton<FileAsker>();
        services.AddSingleton<Asker>();
        services.AddSingleton<HeadShelf>();
        services.AddSingleton<AnswerKeeper>();
        services.AddSingleton<FlightTable>();
        services.AddSingleton<BodyFeeds>();
        services.AddSingleton<ServingLoad>();
        services.AddSingleton<GivingWay>();
        services.AddSingleton<BodyIntake>();
        services.AddSingleton<SharedBodies>();
        services.AddSingleton<OriginFetch>();
        services.AddSingleton<MissingParts>();
        services.AddSingleton<StoredBodies>();
        services.AddSingleton<LiveBodies>();
        services.AddSingleton<BodyStarts>();
        services.AddSingleton<ExchangeCoordinator>();
        services.AddSingleton<ReadyAnswers>();
    }
}

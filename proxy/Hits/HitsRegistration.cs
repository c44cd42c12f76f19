using Breakwater.Proxy.EventLoops;

namespace Breakwater.Proxy.Hits;

/// <summary>Registers this room.</summary>
internal static class HitsRegistration
{
    /// <summary>Answers on the event loops.</summary>
    public static void AddHits(this IServiceCollection services)
    {
        services.AddSingleton<HeadEncoder>();
        services.AddSingleton<HitLedger>();
        services.AddSingleton<ObjectHits>();
        services.AddSingleton<DocumentHits>();
        services.AddSingleton<HitJoins>();
        services.AddSingleton<RepositoryHits>();
        services.AddSingleton<ReadyHits>();
        services.AddSingleton<IFirstResponder, HitResponder>();
    }
}

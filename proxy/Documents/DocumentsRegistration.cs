using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Documents;

/// <summary>Registers this room.</summary>
internal static class DocumentsRegistration
{
    /// <summary>Signed and other documents, and the keys that prove them.</summary>
    public static void AddDocuments(this IServiceCollection services, TrustOptions trust)
    {
        services.AddSingleton<DocumentFetcher>();
        services.AddSingleton<DocumentArchive>();
        services.AddSingleton(trust);
        services.AddReload<TrustOptions>((options, changed) => options.Take(changed.Trust));
        services.AddSingleton(provider => new RepositoryTrust(LoadKeys(trust, provider.GetRequiredService<ILogger<RepositoryTrust>>())));
        services.AddSingleton<KeysWatch>();
        services.AddReload<KeysWatch>((keys, _) => keys.Look());
        services.AddHostedService(provider => provider.GetRequiredService<KeysWatch>());
        services.AddSingleton<IHealthSource, RepositoryHealth>();
        services.AddSingleton<SignedPairFetcher>();
        services.AddSingleton<AllowedRevisions>();
        services.AddReload<AllowedRevisions>((allowed, changed) => allowed.Take(changed));
        services.AddSingleton<ShownPairs>();
        services.AddSingleton<PairChecks>();
        services.AddSingleton<SignedDocuments>();
        services.AddSingleton<DocumentCache>();
        services.AddReload<DocumentCache>((documents, _) => documents.ForgetFailures());
    }

    private static MasterKeys LoadKeys(TrustOptions trust, ILogger log)
    {
        MasterKeys keys = MasterKeys.Load(trust.KeysDirectory);
        foreach (string problem in keys.Problems)
        {
            log.LogError("{Problem}", problem);
        }

        return keys;
    }
}

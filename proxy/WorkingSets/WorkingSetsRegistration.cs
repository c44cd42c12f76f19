using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Guessing;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Observability.AccessLogs;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>Registers this room and those that only it needs.</summary>
internal static class WorkingSetsRegistration
{
    /// <summary>What boots read: recorded, learned, looked ahead and fetched before it is asked for.</summary>
    public static void AddWorkingSets(this IServiceCollection services, WorkingSetOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton(CatalogLimits.Default);
        services.AddSingleton<WorkingSetStore>();
        services.AddSingleton<SnapshotSource>();
        services.AddSingleton<StoredSnapshots>();
        // Clients keep processors busy by the machine's clock, whichever the proxy has.
        services.AddSingleton(provider => new PrefetchPace(provider.GetRequiredService<ProxyCounters>(), TimeProvider.System));
        services.AddSingleton<Prefetcher>();
        services.AddSingleton<WorkingSetPreparer>();
        services.AddSingleton<IRevisionGate>(provider => provider.GetRequiredService<WorkingSetPreparer>());
        services.AddSingleton<BootLearner>();
        services.AddSingleton<SiteBoots>();
        services.AddSingleton(provider =>
        {
            RepositoryRoutes routes = provider.GetRequiredService<RepositoryRoutes>();
            SignedDocuments documents = provider.GetRequiredService<SignedDocuments>();
            return new BootRecorder(
                new BootRecorderLimits { Window = options.BootWindow },
                options.Learn ? provider.GetRequiredService<BootLearner>().WantsMore : static _ => false,
                (fqrn, catalog) => routes.TryFind(fqrn, out RepositoryRoute? route)
                    && documents.Find(route)?.Parsed.RootCatalog == catalog);
        });
        services.AddSingleton<GuessServices>();
        services.AddSingleton<GuessCounters>();
        services.AddSingleton<Guesser>();
        services.AddSingleton<PublishedSets>();
        services.AddSingleton<BootObserver>();
        services.AddSingleton<RevisionPoll>();
        services.AddHostedService<WorkingSetService>();
        services.AddSingleton<SavedTrails>();
        services.AddSingleton<IVerifiedListener>(provider => provider.GetRequiredService<SavedTrails>());
        services.AddSingleton<LookAhead>();
        services.AddHostedService(provider => provider.GetRequiredService<LookAhead>());
        services.AddSingleton<ObjectNames>();
        services.AddSingleton<IObjectPaths>(provider => provider.GetRequiredService<ObjectNames>());
        services.AddHostedService(provider => provider.GetRequiredService<ObjectNames>());
    }
}

using System.Text;
using System.Threading.Channels;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Holdings;

/// <summary>
/// Fetches pinned objects again that the store found damaged, one after the other, behind all clients: whoever pinned them counts on them
/// when no Stratum 1 can be reached.
/// </summary>
internal sealed partial class PinnedHealer(
    FasterObjectStore store, ObjectReader objects, RepositoryRoutes routes, SignedDocuments documents, SeedRegistry seeds,
    ILogger<PinnedHealer> log) : BackgroundService
{
    /// <summary>More than that at once is a dead disk.</summary>
    private const int MaxWaiting = 10_000;

    private readonly Channel<ObjectKey> _damaged =
        Channel.CreateBounded<ObjectKey>(new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        store.Damaged = key =>
        {
            if (store.Pins.IsPinned(key))
            {
                _damaged.Writer.TryWrite(key);
            }
        };
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        store.Damaged = null;
        return base.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (ObjectKey key in _damaged.Reader.ReadAllAsync(stoppingToken))
            {
                try
                {
                    await HealAsync(key, stoppingToken);
                }
                catch (Exception e) when (!(e is OperationCanceledException && stoppingToken.IsCancellationRequested))
                {
                    LogNotHealed(log, key, e.Message); // the next look at it finds it damaged again
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The proxy stops.
        }
    }

    private async Task HealAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        UpstreamFailure? failure = null;
        foreach (RepositoryRoute repository in RepositoriesOf(key))
        {
            failure = await objects.FetchAsync(repository, key, null, FetchPriority.Prefetch, cancellationToken);
            if (failure is null)
            {
                LogHealed(log, key, repository.Fqrn);
                return;
            }
        }

        LogNotHealed(log, key, failure?.ToString() ?? "no repository is known that has it");
    }

    /// <summary>Those that the names of its sets tell, then all that clients asked for.</summary>
    private IEnumerable<RepositoryRoute> RepositoriesOf(ObjectKey key)
    {
        HashSet<Fqrn> names = [];
        foreach (string set in store.Pins.SetsOf(key))
        {
            var name = new PinName(set);
            if (name.TryGetRepository(out Fqrn repository))
            {
                names.Add(repository);
            }
            else if (name.TryGetSeed(out string? seedName) && seeds.Find(seedName) is { } seed)
            {
                names.UnionWith(seed.Repositories.Select(carried => Fqrn.Parse(carried.Fqrn)));
            }
        }

        names.UnionWith(documents.Repositories.Select(status => status.Repository.Fqrn));
        foreach (Fqrn fqrn in names)
        {
            if (routes.TryFind(fqrn, out RepositoryRoute? route))
            {
                yield return route;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information,
        Message = "The pinned object {Key} was damaged on the disk and has been fetched again ({Repository})")]
    private static partial void LogHealed(ILogger log, ObjectKey key, Fqrn repository);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "The pinned object {Key} was damaged on the disk and cannot be fetched again now: {Failure}. It is fetched when it is "
        + "asked for")]
    private static partial void LogNotHealed(ILogger log, ObjectKey key, string failure);
}

using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Seeding.Export;

/// <summary>Gets objects through the store: what it lacks is fetched, verified and stored as for a client, but after all clients.</summary>
internal sealed class ObjectGetter(IObjectStore store, FetchCoordinator fetches, DocumentCache documents, RepositoryRoutes routes)
{
    /// <summary>Brings an object into the store if it is not there. Bytes that came from a Stratum 1; 0 when it was there.</summary>
    /// <exception cref="SeedExportException">No Stratum 1 has it, or the store cannot take it.</exception>
    public async Task<long> FetchAsync(string fqrn, ObjectKey key, CancellationToken cancellationToken)
    {
        var order = new FetchOrder(key, Route(fqrn), key.ToPath(), null, FetchPriority.Prefetch);
        byte[] buffer = new byte[64 << 10];
        while (!store.Contains(key))
        {
            FetchTicket ticket = fetches.JoinOrStart(order);
            if (ticket.Lease is { } lease)
            {
                lease.Dispose();
                return 0;
            }

            if (ticket.Failure is { } negative)
            {
                throw new SeedExportException($"{order.UrlPath}: {negative.Detail}.");
            }

            long offset = 0;
            await using FetchFollower follower = ticket.Follower!;
            FollowState state;
            while ((state = await follower.WaitAsync(offset, cancellationToken)) == FollowState.Readable)
            {
                offset += await follower.ReadAsync(offset, buffer, cancellationToken);
            }

            if (state == FollowState.Ended)
            {
                return store.Contains(key)
                    ? offset
                    : throw new SeedExportException(
                    $"{order.UrlPath} could not be stored: the store is full or refuses writes; its log says why.");
            }

            if (follower.Failure!.Kind != FailureKind.AlreadyStored)
            {
                throw new SeedExportException($"{order.UrlPath}: {follower.Failure.Detail}.");
            }
        }

        return 0;
    }

    /// <summary>A signed document.</summary>
    /// <exception cref="SeedExportException">There is none.</exception>
    public async Task<byte[]> DocumentAsync(string fqrn, string file, CancellationToken cancellationToken)
    {
        DocumentAnswer answer =
            await documents.GetAsync(new DocumentRequest(DocumentKind.File, Route(fqrn), file, null), cancellationToken);
        return answer.Document?.Body.ToArray() ?? throw new SeedExportException($"{fqrn}/{file}: {answer.Failure!.Detail}.");
    }

    private RepositoryRoute Route(string fqrn) => routes.TryFind(Fqrn.Parse(fqrn), out RepositoryRoute? route)
        ? route
        : throw new SeedExportException($"{fqrn} is not in Repositories: add it there, or name its Stratum 1 with --from.");
}
